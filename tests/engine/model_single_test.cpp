// Single files in the original naming against the folders that diffusers made: the same tensors, whatever the names.
#include "engine/model/assembled.h"
#include "engine/model/config.h"
#include "engine/model/flux/names.h"
#include "engine/model/gguf_convert.h"
#include "engine/model/gguf_weights.h"
#include "engine/model/single/contents.h"
#include "engine/model/single/unet_names.h"
#include "engine/model/t5_encoder.h"
#include "engine/model/weights.h"
#include "quant/gguf.h"
#include "tests/engine/model_golden.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>
#include <set>

using namespace quantspot;
using namespace quantspot::model;
using namespace quantspot::model::test;
namespace fs = std::filesystem;

namespace {

fs::path golden(const std::string& name) { return source("tests/parity/golden/" + name); }

std::string bare(const std::string& name) { return name.starts_with("text_model.") ? name.substr(11) : name; }

// Empty where both hold the same tensors; names with or without CLIP's "text_model.".
QString difference(const Weights& file, const Weights& folder) {
  std::map<std::string, std::string> wanted;
  for (const std::string& name : folder.names()) wanted[bare(name)] = name;
  for (const std::string& name : file.names()) {
    const auto found = wanted.find(bare(name));
    if (found == wanted.end()) return QString::fromStdString("not there: " + name);
    const at::Tensor expected = folder.read(found->second), value = file.read(name, expected.sizes().vec());
    if (!at::equal(value.to(at::kFloat), expected.to(at::kFloat))) return QString::fromStdString("differs: " + name);
    wanted.erase(found);
  }
  return wanted.empty() ? QString() : QString::fromStdString("missing: " + wanted.begin()->first);
}

template <class Body>
QString errorOf(Body&& body) {
  try {
    body();
    return {};
  } catch (const ModelError& error) {
    return QString::fromUtf8(error.what());
  }
}

}  // namespace

class ModelSingleTest : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  fs::path path(const std::string& name) const { return dir_.path().toStdString() + "/" + name; }

 private Q_SLOTS:
  void aCheckpointIsItsFolder_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("pipeline");
    QTest::addColumn<QStringList>("parts");
    QTest::newRow("sd") << "single/sd.safetensors" << "sd_a/pipeline" << QStringList{"unet", "vae", "text_encoder"};
    QTest::newRow("sdxl") << "single/sdxl.safetensors" << "sdxl_a/pipeline" << QStringList{"unet", "vae", "text_encoder", "text_encoder_2"};
  }
  void aCheckpointIsItsFolder() {
    QFETCH(QString, file);
    QFETCH(QString, pipeline);
    QFETCH(QStringList, parts);
    const fs::path folder = golden(pipeline.toStdString());
    const AssembledPipeline assembled(golden(file.toStdString()), folder);
    QVERIFY(inspectFolder(assembled.folder()).missing.empty());
    for (const QString& part : parts) {
      const QString wrong = difference(Weights(assembled.folder() / part.toStdString()), Weights(folder / part.toStdString()));
      QVERIFY2(wrong.isEmpty(), qPrintable(part + ": " + wrong));
    }
  }

  void openClipOfSd2LosesItsLastLayer() {
    const fs::path file = golden("single/sd2_text.safetensors");
    const auto parts = contentsOf(file);
    const FoundPart* const text = findPart(parts, "clip");
    QVERIFY(text && !findPart(parts, "openclip"));
    saveViews(path("sd2"), file, text->views);
    QCOMPARE(difference(Weights(path("sd2")), Weights(golden("sd_b/pipeline/text_encoder"))), QString());
    QCOMPARE(text->config["num_hidden_layers"].get<int>(), 4);
    QCOMPARE(text->config["hidden_act"].get<std::string>(), std::string("gelu"));
  }

  void configurationsAreReadOffTheShapes_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("pipeline");
    QTest::newRow("sd") << "single/sd.safetensors" << "sd_a/pipeline";
    QTest::newRow("sdxl") << "single/sdxl.safetensors" << "sdxl_a/pipeline";
  }
  void configurationsAreReadOffTheShapes() {
    QFETCH(QString, file);
    QFETCH(QString, pipeline);
    const auto parts = contentsOf(golden(file.toStdString()));
    const std::map<std::string, std::pair<std::string, std::vector<const char*>>> keys = {
        {"unet", {"unet", {"in_channels", "out_channels", "block_out_channels", "layers_per_block", "down_block_types", "up_block_types", "cross_attention_dim",
                           "use_linear_projection", "addition_embed_type", "projection_class_embeddings_input_dim"}}},
        {"vae", {"vae", {"latent_channels", "block_out_channels", "layers_per_block", "use_quant_conv", "use_post_quant_conv", "out_channels"}}},
        {"clip", {"text_encoder", {"hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size", "max_position_embeddings", "hidden_act"}}},
        {"openclip", {"text_encoder_2", {"hidden_size", "num_hidden_layers", "projection_dim", "hidden_act"}}}};
    for (const FoundPart& part : parts) {
      const auto& [folder, wanted] = keys.at(part.kind);
      const nlohmann::json expected = readJson(golden(pipeline.toStdString()) / folder / "config.json");
      for (const char* key : wanted)
        if (expected.contains(key) && !(expected[key].is_null() && !part.config.contains(key))) QCOMPARE(part.config[key].dump(), expected[key].dump());
    }
    if (file.contains("sdxl")) QCOMPARE(findPart(parts, "unet")->config["transformer_layers_per_block"].dump(), std::string("[1,2,3]"));
  }

  void namesOfAUnetGoBothWays() {
    for (const char* pipeline : {"sd_a", "sdxl_a"}) {
      const auto list = Weights(golden(std::string(pipeline) + "/pipeline/unet")).names();
      const std::set<std::string> names(list.begin(), list.end());
      const UnetLayout layout = layoutOfDiffusers(names);
      std::set<std::string> there;
      for (const std::string& name : names) {
        const auto other = unetNameToLdm(layout, name);
        QVERIFY2(other && there.insert(*other).second, name.c_str());
        QCOMPARE(unetNameFromLdm(layout, *other).value_or("none"), name);
      }
      const Shapes file = shapesOf(golden(std::string("single/") + (pipeline[2] == 'x' ? "sdxl" : "sd") + ".safetensors"));
      QVERIFY(layoutOfLdm(file, "model.diffusion_model.") == layout);
    }
  }

  // Everything of FLUX in one file, as ComfyUI distributes it; the naming of the transformer is checked against diffusers in the GGUF test.
  void fluxAllInOne() {
    const fs::path folder = golden("flux_a/pipeline");
    const Config config(folder / "transformer/config.json");
    const Weights transformer(folder / "transformer");
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const FluxEntry& entry : fluxEntries(config.need<std::int64_t>("num_layers"), config.need<std::int64_t>("num_single_layers"), config.get("guidance_embeds", false)))
      for (const std::string kind : {".weight", ".bias"}) {
        if ((entry.isNorm && kind == ".bias") || !transformer.has(entry.parts.front().name + kind)) continue;
        std::vector<at::Tensor> rows;
        for (const FluxPart& part : entry.parts) rows.push_back(transformer.read(part.name + kind));
        at::Tensor whole = at::cat(rows);
        if (entry.swapsHalves) whole = whole.roll(whole.size(0) / 2, 0);
        tensors.emplace_back("model.diffusion_model." + entry.name + (entry.isNorm ? ".scale" : kind), whole);
      }
    const Weights clip(folder / "text_encoder"), t5(folder / "text_encoder_2");
    for (const std::string& name : clip.names()) tensors.emplace_back("text_encoders.clip_l.transformer.text_model." + bare(name), clip.read(name));
    for (const std::string& name : t5.names()) tensors.emplace_back("text_encoders.t5xxl.transformer." + name, t5.read(name));
    if (!t5.has("shared.weight")) tensors.emplace_back("text_encoders.t5xxl.transformer.shared.weight", t5.read("encoder.embed_tokens.weight"));
    saveSafeTensors(path("flux.safetensors"), tensors);

    const AssembledPipeline assembled(path("flux.safetensors"), folder);
    for (const char* part : {"transformer", "text_encoder", "vae"}) {
      const QString wrong = difference(Weights(assembled.folder() / part), Weights(folder / part));
      QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
    }
    QVERIFY(Weights(assembled.folder() / "text_encoder_2").folder() != folder / "text_encoder_2");
    const FileSummary alone = inspectFile(path("flux.safetensors"));
    QCOMPARE(alone.family, std::string("flux"));
    QVERIFY(QString::fromStdString(alone.missing.front()).contains("config.json"));   // heads of another width than FLUX.1's
  }

  // The naming is that which diffusers' own converter turned back (tests/parity/single_cases.py).
  std::vector<std::pair<std::string, at::Tensor>> sd3File(const std::string& name, const std::string& prefix) const {
    const nlohmann::json table = readJson(golden("single/sd3_names.json"));
    const Weights weights(golden(name + "/pipeline/transformer"));
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const auto& [tensor, made] : table.at(name).items()) {
      std::vector<at::Tensor> parts;
      for (const auto& part : made[0]) parts.push_back(weights.read(part.get<std::string>()));
      const at::Tensor whole = at::cat(parts);
      tensors.emplace_back(prefix + tensor, made[1].get<bool>() ? whole.roll(whole.size(0) / 2, 0) : whole);
    }
    return tensors;
  }
  void addText(std::vector<std::pair<std::string, at::Tensor>>& tensors, const fs::path& folder, const std::string& prefix, bool projection) const {
    const Weights text(folder);
    for (const std::string& name : text.names())
      if (projection || name != "text_projection.weight") tensors.emplace_back(prefix + name, text.read(name));
  }

  void stableDiffusion3_data() {
    QTest::addColumn<QString>("pipeline");
    QTest::addColumn<QString>("prefix");
    QTest::addColumn<bool>("encoders");
    QTest::newRow("3.5 medium, all in one") << "sd3_a" << "model.diffusion_model." << true;
    QTest::newRow("3 without T5, the transformer alone") << "sd3_b" << "" << false;
  }
  void stableDiffusion3() {
    QFETCH(QString, pipeline);
    QFETCH(QString, prefix);
    QFETCH(bool, encoders);
    const fs::path folder = golden(pipeline.toStdString() + "/pipeline");
    auto tensors = sd3File(pipeline.toStdString(), prefix.toStdString());
    if (encoders) {
      addText(tensors, folder / "text_encoder", "text_encoders.clip_l.transformer.", false);
      addText(tensors, folder / "text_encoder_2", "text_encoders.clip_g.transformer.", true);
      addText(tensors, folder / "text_encoder_3", "text_encoders.t5xxl.transformer.", true);
    }
    saveSafeTensors(path("sd3.safetensors"), tensors);
    QCOMPARE(inspectFile(path("sd3.safetensors")).family, std::string("sd3"));
    const AssembledPipeline assembled(path("sd3.safetensors"), folder);
    QVERIFY(inspectFolder(assembled.folder()).missing.empty());
    for (const char* part : {"transformer", "text_encoder_2"})
      QCOMPARE(difference(Weights(assembled.folder() / part), Weights(folder / part)), QString());
    QCOMPARE(fs::exists(assembled.folder() / "text_encoder_3"), encoders);
    QCOMPARE(Weights(assembled.folder() / "text_encoder").has("text_projection.weight"), !encoders);
    QCOMPARE(readJson(assembled.folder() / "text_encoder/config.json").value("text_projection", ""), std::string(encoders ? "identity" : ""));
  }
  void sd3ConfigurationsAreReadOffTheShapes() {
    saveSafeTensors(path("sd3.safetensors"), sd3File("sd3_a", "model.diffusion_model."));
    const auto parts = contentsOf(path("sd3.safetensors"));
    const nlohmann::json read = findPart(parts, "sd3")->config, wanted = readJson(golden("sd3_a/pipeline/transformer/config.json"));
    for (const auto& [key, value] : wanted.items())
      if (!key.starts_with("_") && key != "sample_size") QVERIFY2(read.value(key, nlohmann::json()) == value, key.c_str());
    saveSafeTensors(path("b.safetensors"), sd3File("sd3_b", ""));   // no norms of queries: heads of 20 cannot be known
    QVERIFY(findPart(contentsOf(path("b.safetensors")), "sd3")->config.is_null());
    const auto missing = inspectFile(path("b.safetensors")).missing;
    QVERIFY(std::ranges::any_of(missing, [](const std::string& line) { return line.starts_with("vae is missing"); }));
    QVERIFY(std::ranges::none_of(missing, [](const std::string& line) { return line.starts_with("text_encoder_3"); }));
  }
  void sd3DoesWithoutT5() {
    auto tensors = sd3File("sd3_a", "model.diffusion_model.");
    addText(tensors, golden("sd3_a/pipeline/text_encoder"), "text_encoders.clip_l.transformer.", false);
    addText(tensors, golden("sd3_a/pipeline/text_encoder_2"), "text_encoders.clip_g.transformer.", true);
    saveSafeTensors(path("sd3.safetensors"), tensors);
    const fs::path lent = path("lent");
    fs::create_directories(lent);
    for (const char* part : {"tokenizer", "tokenizer_2", "vae"}) fs::copy(golden("sd3_a/pipeline") / part, lent / part, fs::copy_options::recursive);
    const AssembledPipeline assembled(path("sd3.safetensors"), lent);
    QVERIFY(inspectFolder(assembled.folder()).missing.empty());
    QVERIFY(!fs::exists(assembled.folder() / "text_encoder_3") && !fs::exists(assembled.folder() / "tokenizer_3"));
    QVERIFY(readJson(assembled.folder() / "model_index.json")["text_encoder_3"][0].is_null());
    QCOMPARE(readJson(assembled.folder() / "scheduler/scheduler_config.json")["shift"].get<double>(), 3.0);
  }

  // T5 1.0: what its shapes do not tell (relative_attention_max_distance) is that of every published T5.
  void aT5ThatIsNotGatedIsRead() {
    const fs::path own = golden("flux_b/pipeline/text_encoder_2");
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    addText(tensors, own, "text_encoders.t5xxl.transformer.", true);
    saveSafeTensors(path("t5.safetensors"), tensors);
    const auto parts = contentsOf(path("t5.safetensors"));
    const FoundPart* const t5 = findPart(parts, "t5");
    QVERIFY(t5);
    nlohmann::json wanted = readJson(own / "config.json");
    for (const char* key : {"feed_forward_proj", "is_gated_act", "dense_act_fn", "d_model", "d_ff", "d_kv", "num_heads", "num_layers", "vocab_size",
                            "relative_attention_num_buckets"})
      QVERIFY2(t5->config.at(key) == wanted.at(key), key);
    wanted["relative_attention_max_distance"] = 128;
    const at::Tensor ids = at::arange(24, at::kLong).reshape({1, 24});
    std::vector<at::Tensor> states;
    for (const auto& [name, config] : {std::pair("a", wanted), std::pair("b", t5->config)}) {
      fs::create_directories(path(name));
      fs::copy(own / "model.safetensors", path(name));
      std::ofstream(fs::path(path(name)) / "config.json") << config.dump();
      states.push_back(T5Encoder(path(name), {}, "").forward(ids));
    }
    QVERIFY(states[0].equal(states[1]));
  }

  void aUnetIsWrittenAsGgufAndReadBack() {
    const fs::path folder = golden("sd_a/pipeline");
    const GgufSummary written = convertToGguf(folder, quant::parsePolicy("gguf-q8_0"), path("unet.gguf"));
    QVERIFY(written.types.at("F16") > 0 && written.types.at("F32") > 0);
    const GgufWeights file(path("unet.gguf"));
    const Weights original(folder / "unet");
    QCOMPARE(file.names().size(), original.names().size());
    for (const std::string& name : file.names()) {
      const at::Tensor expected = original.read(name);
      QCOMPARE(file.shape(name), expected.sizes().vec());
      const at::Tensor value = file.read(name).to(at::kFloat);
      const double error = (value - expected.to(at::kFloat)).abs().max().item<double>(), largest = expected.abs().max().item<double>();
      QVERIFY2(error <= largest / 127, name.c_str());
    }
    const AssembledPipeline assembled(path("unet.gguf"), folder);
    QVERIFY(inspectFolder(assembled.folder()).missing.empty());
    QVERIFY(fs::exists(assembled.folder() / "vae/config.json"));
  }

  void comfysRowsOf256HaveTheirShapesBack() {
    const GgufWeights file(golden("single/comfy.gguf"));
    const SafeTensors sums(golden("single/comfy.sums.safetensors"));
    QCOMPARE(file.names().size(), sums.entries().size());
    bool reshaped = false;
    for (const auto& [name, entry] : sums.entries()) {
      const at::Tensor wanted = sums.copy(entry), value = file.read(name).to(at::kDouble);
      QVERIFY2(std::abs(value.sum().item<double>() - wanted[0].item<double>()) < 1e-9, name.c_str());
      QVERIFY2(std::abs(value.square().sum().item<double>() - wanted[1].item<double>()) < 1e-9, name.c_str());
      const at::Tensor own = Weights(golden("sd_a/pipeline/unet")).read(name);
      QCOMPARE(file.shape(name), own.sizes().vec());
      QVERIFY2((value - own.to(at::kDouble)).abs().max().item<double>() <= own.abs().max().item<double>() / 127, name.c_str());
      reshaped |= own.dim() == 2 && own.numel() % 256 == 0 && own.size(1) % 256 != 0 && own.numel() >= 512 && !file.packed(name);
    }
    QVERIFY(reshaped);
  }

  void whatIsMissingIsTold_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("parts");
    QTest::addColumn<QStringList>("words");
    const auto lone = [&](const char* name, const char* tensor) {
      saveSafeTensors(path(name), {{tensor, at::zeros({2, 2})}, {"decoder.up.0.block.0.conv1.weight", at::zeros({2, 2, 3, 3})}, {"decoder.conv_in.weight", at::zeros({2, 4, 3, 3})},
                                   {"decoder.conv_out.weight", at::zeros({3, 2, 3, 3})}});
      return QString::fromStdString(path(name).string());
    };
    const fs::path empty = path("empty");
    fs::create_directories(empty);
    const QString sd = QString::fromStdString(golden("single/sd.safetensors").string()), flux = QString::fromStdString(golden("flux_a/pipeline").string());
    QTest::newRow("tokenizer") << sd << "" << QStringList{"tokenizer is missing", "vocab.json", "--parts"};
    QTest::newRow("another family's parts") << sd << flux << QStringList{"FluxPipeline", "StableDiffusionPipeline"};
    QTest::newRow("no folder") << sd << "/nowhere" << QStringList{"/nowhere", "no such folder"};
    QTest::newRow("text encoder") << QString::fromStdString(golden("single/comfy.gguf").string()) << QString::fromStdString(empty.string())
                                  << QStringList{"text_encoder is missing", "vae is missing"};
    QTest::newRow("an autoencoder alone") << lone("vae.safetensors", "x") << "" << QStringList{"neither", "but: vae"};
    QTest::newRow("scales beside") << lone("scaled.safetensors", "model.scaled_fp8") << "" << QStringList{"scaled_fp8", "plain FP8"};
    std::ofstream(path("model.ckpt")) << "\x80\x02";
    QTest::newRow("a pickle") << QString::fromStdString(path("model.ckpt").string()) << "" << QStringList{"is a pickle", "refused"};
  }
  void whatIsMissingIsTold() {
    QFETCH(QString, file);
    QFETCH(QString, parts);
    QFETCH(QStringList, words);
    const QString error = errorOf([&] { AssembledPipeline(file.toStdString(), parts.toStdString()); });
    for (const QString& word : words) QVERIFY2(error.contains(word), qPrintable(error));
    QVERIFY(!error.contains('\n'));
  }
};

QTEST_GUILESS_MAIN(ModelSingleTest)
#include "model_single_test.moc"
