// DiT, Stable Diffusion 3.5 and PixArt-Σ against diffusers (tests/parity/transformer_cases.py), through the sampler: prompts to 8-bit pictures.
#include "engine/model/assembled.h"
#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/pixart/pixart.h"
#include "engine/model/single/dit_views.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/quantize_model.h"
#include "engine/pipeline/recipe.h"
#include "tests/engine/pipeline_case.h"
#include "tests/engine/print_json.h"

#include <QTemporaryDir>
#include <QTest>

#include <ATen/Parallel.h>

#include <c10/core/InferenceMode.h>


using namespace quantspot;
using namespace quantspot::test;
using nlohmann::json;

class TransformerPipelinesTest : public QObject {
  Q_OBJECT
  c10::InferenceMode guard_;

  static void addCases() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"dit_a", "dit_b", "sd3_a", "sd3_b", "pixart_a", "pixart_b"}) QTest::newRow(name) << name;
  }
  // What is said when the pipeline of `name`, with a file changed, draws one picture.
  QString complaint(const QString& name, const std::string& file, const std::function<void(json&)>& change, const std::string& prompt = "1") {
    const Case golden(name);
    QTemporaryDir dir;
    const std::filesystem::path copy = dir.path().toStdString() + "/pipeline";
    std::filesystem::copy(golden.folder / "pipeline", copy, std::filesystem::copy_options::recursive);
    json changed = json::parse(std::ifstream(copy / file));
    change(changed);
    std::ofstream(copy / file) << changed.dump();
    pipeline::SampleRequest request = golden.request("fp32");
    request.model = copy;
    request.more.clear();
    request.recipe.prompt = prompt;
    try {
      pipeline::Sampler().generate(request);
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  }

 private Q_SLOTS:
  void promptEmbeddings_data() { addCases(); }
  void promptEmbeddings() {
    QFETCH(QString, name);
    const Case golden(name);
    if (name.startsWith("dit")) return;   // a class has no embedding of its own
    const auto encoders = model::loadTextEncoders(golden.folder / "pipeline", {});
    const model::EncodeOptions options{.maxSequenceLength = golden.recipe["max_sequence_length"], .clipSkip = golden.recipe.value("clip_skip", 0)};
    const auto negative = golden.recipe["negative_prompt"].is_null() ? std::nullopt
        : std::optional(golden.recipe["negative_prompt"].get<std::string>());
    const auto told = encoders->encode(golden.recipe["prompts"].get<std::vector<std::string>>(), options),
        away = encoders->encodeNegative(negative, options);
    QVERIFY(relativeError(told.condition.at("sequence"), golden["prompt_embeds"]) < 1e-5);
    QVERIFY(relativeError(away.condition.at("sequence"), golden["negative_prompt_embeds"].slice(0, 0, 1)) < 1e-5);
    const char* const other = name.startsWith("sd3") ? "pooled" : "mask";
    QVERIFY(relativeError(told.condition.at(other), golden[other]) < 1e-5);
    QVERIFY(relativeError(away.condition.at(other), golden[(std::string("negative_") + other).c_str()].slice(0, 0, 1)) < 1e-5);
  }

  void aBatchIsThatOfDiffusers_data() { addCases(); }
  void aBatchIsThatOfDiffusers() {
    QFETCH(QString, name);
    const Case golden(name);
    const auto samples = pipeline::Sampler().generateBatch(golden.request("fp32"));
    QCOMPARE(samples.size(), golden.pictures());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const double error = relativeError(samples[i].latents, golden["latents"].slice(0, row, row + 1));
      QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
      const int off = pixelsOff(samples[i].image, golden["image_u8"][row]);
      QVERIFY2(off <= 1, qPrintable(QString::number(off)));
      qInfo("latents %g, pixels %d", error, off);
      QCOMPARE(test::text(samples[i].report["noise_sha256"]), test::text(golden.recipe["noise_sha256"][i]));
      QVERIFY(samples[i].report["weights"]["transformer"]["bytes"].get<std::int64_t>() > 0);
    }
  }

  void picturesOfABatchAreThoseOfSingleRuns_data() { addCases(); }
  void picturesOfABatchAreThoseOfSingleRuns() {
    QFETCH(QString, name);
    const Case golden(name);
    for (std::size_t i = 0; i < golden.pictures(); ++i) {
      pipeline::SampleRequest request = golden.request("fp32");
      request.more.clear();
      request.recipe = golden.of(i);
      const auto row = static_cast<std::int64_t>(i);
      QVERIFY(relativeError(pipeline::Sampler().generate(request).latents, golden["latents"].slice(0, row, row + 1)) < 1e-4);
    }
  }

  // Both round after every operation: they differ about as much as bf16 itself costs. Where the scheduler draws, the reference draws in bf16.
  void bf16IsAsFarFromFp32AsThatOfDiffusers_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"dit_a", "sd3_a", "sd3_b", "pixart_a"}) QTest::newRow(name) << name;
  }
  void bf16IsAsFarFromFp32AsThatOfDiffusers() {
    QFETCH(QString, name);
    const Case golden(name);
    pipeline::SampleRequest request = golden.request("bf16");
    request.noise = golden["noise"];
    std::vector<at::Tensor> all;
    for (const auto& sample : pipeline::Sampler().generateBatch(request)) all.push_back(sample.latents);
    const double own = golden.recipe["bf16_relative_error"], error = relativeError(at::cat(all), golden["bf16_latents"].to(at::kFloat));
    qInfo("%.4f from the reference's bf16, which is %.4f from its fp32", error, own);
    QVERIFY2(error < 1.5 * own, qPrintable(QString::number(error)));
  }

  void everyLayerIsInTheLedgerAndCounted_data() { addCases(); }
  void everyLayerIsInTheLedgerAndCounted() {
    QFETCH(QString, name);
    const Case golden(name);
    for (const bool text : {false, true}) {
      std::size_t last = 0, total = 0;
      model::LoadOptions options;
      options.onLayer = [&](std::size_t done, std::size_t all) {
        QCOMPARE(done, last + 1);
        last = done;
        total = all;
      };
      if (text) model::loadTextEncoders(golden.folder / "pipeline", options);
      else model::loadDenoiser(golden.folder / "pipeline", options);
      QCOMPARE(last, total);
      QCOMPARE(total > 0, !text || !name.startsWith("dit"));
    }
    const model::SafeTensors file(golden.folder / "pipeline" / "transformer" / "diffusion_pytorch_model.safetensors");
    std::int64_t numbers = 0;
    for (const auto& [key, entry] : file.entries()) numbers += static_cast<std::int64_t>(entry.bytes.size()) / 2;
    QCOMPARE(model::loadDenoiser(golden.folder / "pipeline", {})->bytes(), 4 * numbers);
  }

  static void addSoftmaxCases() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"dit_a", "sd3_b", "pixart_a", "flux_a", "sd_a", "sdxl_a"}) QTest::newRow(name) << name;
  }
  // The difference is small, so that it counts whether fp16 is where torch has it. Sums in another order turn single roundings of fp16 over:
  // the golden data are of one thread, and on other processors the bound must leave room for that.
  void aSoftmaxInHalfIsThatOfTorch_data() { addSoftmaxCases(); }
  void aSoftmaxInHalfIsThatOfTorch() {
    QFETCH(QString, name);
    const Case golden(name);
    const model::SafeTensors file(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/softmax/latents.safetensors");
    const at::Tensor wanted = file.copy(file.entries().at(name.toStdString()));
    const auto drawn = [&](const char* precision) {
      pipeline::SampleRequest request = golden.request(precision);
      request.more.clear();
      const auto sample = pipeline::Sampler().generate(request);
      const auto& rules = sample.report["policy"]["layers"];
      if (rules.value("softmax", "") != (precision == std::string("fp32") ? "" : "fp16")) qFatal("the report does not tell the softmax");
      return relativeError(sample.latents, wanted);
    };
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const double half = drawn("fp32?softmax=fp16"), plain = drawn("fp32");
    at::set_num_threads(threads);
    QVERIFY2(half < 3e-4 && plain > 1.5 * half, qPrintable(QString("%1, plain %2").arg(half).arg(plain)));
  }
  void noFileHoldsASoftmax() {
    QTemporaryDir dir;
    pipeline::QuantizeRequest request{Case("dit_a").folder / "pipeline", dir.filePath("out").toStdString(), quant::parsePolicy("bf16?softmax=fp16")};
    QVERIFY_THROWS_EXCEPTION(std::invalid_argument, pipeline::quantizeModel(request));
    QVERIFY(!QFile::exists(dir.filePath("out")));
  }

  void classesAreNumbersOrNames() {
    const auto labels = model::loadTextEncoders(Case("dit_a").folder / "pipeline", {});
    const auto made = labels->encode({"207", " golden retriever ", "goldfish", "crane", "0"}, {});
    QVERIFY(made.condition.at("labels").equal(at::tensor({207, 207, 1, 517, 0}, at::kLong)));
    QVERIFY(labels->encodeNegative("anything", {}).condition.at("labels").equal(at::tensor({1000}, at::kLong)));
    const auto nothing = [](json&) {};
    QVERIFY(complaint("dit_a", "model_index.json", nothing, "1000").contains("there is no class 1000; this model has the classes 0 to 999"));
    QVERIFY(complaint("dit_a", "model_index.json", nothing, "retriever").contains("as golden retriever (207)"));
    QVERIFY(complaint("dit_b", "model_index.json", nothing, "goldfish").contains("id2label"));
    QVERIFY(complaint("dit_a", "model_index.json", [](json& j) { j["id2label"]["x"] = "y"; }).contains("id2label has \"x\""));
  }

  void anotherSquareIsDrawnAndARectangleRefused() {
    pipeline::SampleRequest request = Case("dit_a").request("fp32");
    request.more.clear();
    request.recipe.width = request.recipe.height = 80;
    QCOMPARE(pipeline::Sampler().generate(request).image.width, 80);
    request.recipe.width = 48;
    QVERIFY_THROWS_EXCEPTION(model::ModelError, pipeline::Sampler().generate(request));
  }

  // Of blocks that share their embeddings, as the original file holds them: the same answers from both namings.
  void ditInTheOriginalNaming() {
    const Case golden("dit_a");
    QTemporaryDir dir;
    const std::filesystem::path base = dir.path().toStdString(), plain = base / "plain", parts = base / "parts", weights = "transformer/diffusion_pytorch_model.safetensors";
    for (const auto& folder : {plain, parts}) std::filesystem::copy(golden.folder / "pipeline", folder, std::filesystem::copy_options::recursive);
    std::filesystem::remove(parts / weights);
    const model::SafeTensors file(golden.folder / "pipeline" / weights);
    const auto tensor = [&](const std::string& name) { return file.copy(file.entries().at(name)); };
    std::vector<std::pair<std::string, at::Tensor>> shared, original = {{"pos_embed", at::zeros({1, 9, 24})}};
    for (const auto& [name, entry] : file.entries()) {
      std::string source = name;
      if (name.find("norm1.emb.") != std::string::npos) source.replace(0, name.find("norm1."), "transformer_blocks.0.");
      shared.emplace_back(name, tensor(source));
    }
    model::saveSafeTensors(plain / weights, shared);
    const std::pair<const char*, const char*> names[] = {
        {"pos_embed.proj", "x_embedder.proj"}, {"proj_out_1", "final_layer.adaLN_modulation.1"}, {"proj_out_2", "final_layer.linear"},
        {"transformer_blocks.0.norm1.emb.timestep_embedder.linear_1", "t_embedder.mlp.0"}, {"transformer_blocks.0.norm1.emb.timestep_embedder.linear_2", "t_embedder.mlp.2"}};
    const std::pair<const char*, const char*> ofBlocks[] = {{"norm1.linear", "adaLN_modulation.1"}, {"attn1.to_out.0", "attn.proj"}, {"ff.net.0.proj", "mlp.fc1"}, {"ff.net.2", "mlp.fc2"}};
    original.emplace_back("y_embedder.embedding_table.weight", tensor("transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight"));
    for (const std::string kind : {".weight", ".bias"}) {
      for (const auto& [from, to] : names) original.emplace_back(to + kind, tensor(from + kind));
      for (int i = 0; i < 3; ++i) {
        const std::string from = "transformer_blocks." + std::to_string(i) + ".", to = "blocks." + std::to_string(i) + ".";
        for (const auto& [own, other] : ofBlocks) original.emplace_back(to + other + kind, tensor(from + own + kind));
        original.emplace_back(to + "attn.qkv" + kind, at::cat({tensor(from + "attn1.to_q" + kind), tensor(from + "attn1.to_k" + kind), tensor(from + "attn1.to_v" + kind)}));
      }
    }
    model::saveSafeTensors(base / "DiT.safetensors", original);
    const model::AssembledPipeline assembled(base / "DiT.safetensors", parts);
    const model::Condition condition = {{"labels", at::tensor({5, 1000}, at::kLong)}};
    const at::Tensor latents = at::cat({golden["noise"].slice(0, 0, 1), golden["noise"].slice(0, 0, 1)});
    const auto answer = [&](const std::filesystem::path& folder) { return model::loadDenoiser(folder, {})->predict(latents, 501, condition); };
    QVERIFY(answer(assembled.folder()).equal(answer(plain)));
  }

  void theSizesOfAnOriginalDitTellItsConfiguration() {
    model::Shapes shapes = {{"pos_embed", {1, 256, 1152}}, {"x_embedder.proj.weight", {1152, 4, 2, 2}}, {"final_layer.linear.weight", {32, 1152}}, {"y_embedder.embedding_table.weight", {1001, 1152}}};
    for (int i = 0; i < 28; ++i) shapes["blocks." + std::to_string(i) + ".attn.qkv.weight"] = {3456, 1152};
    QVERIFY(model::hasOriginalDit(shapes, ""));
    const json config = model::originalDitConfig(shapes, "");
    const json known = json::parse(std::ifstream(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/manifest/configs.json"))["DiT-XL-2-256"]["transformer"];
    for (const char* key : {"num_attention_heads", "attention_head_dim", "in_channels", "out_channels", "num_layers", "sample_size", "patch_size", "num_embeds_ada_norm", "attention_bias"})
      QCOMPARE(config[key].dump(), known[key].dump());
    shapes["x_embedder.proj.weight"][0] = 1000;
    QVERIFY(model::originalDitConfig(shapes, "").is_null());
  }

  // The reference's DiT pipeline neither multiplies the first noise nor keeps what it scales: latents of every scheduler, as it draws them.
  void ditTakesEveryScheduler() {
    const model::SafeTensors file(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/dit_schedulers/latents.safetensors");
    pipeline::SampleRequest request = Case("dit_a").request("fp32");
    request.more.clear();
    QCOMPARE(file.entries().size(), pipeline::schedulers(model::familyOf(request.model).info()).size());
    for (const auto& [id, entry] : file.entries()) {
      request.recipe.scheduler = id;
      const double error = relativeError(pipeline::Sampler().generate(request).latents, file.copy(entry));
      QVERIFY2(error < 1e-5, qPrintable(QString("%1: %2").arg(QString::fromStdString(id)).arg(error)));
    }
  }

  void pixArtDrawsInTheBinOfASize() {
    const std::filesystem::path golden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/pixart_bins";
    for (const json& row : json::parse(std::ifstream(golden / "bins.json")))
      QCOMPARE(model::pixArtBin(row[1], row[2], row[0].get<std::int64_t>()), (std::array<int, 2>{row[3], row[4]}));
    const Case base("pixart_a");
    QTemporaryDir dir;
    const std::filesystem::path copy = dir.path().toStdString() + "/pipeline";
    std::filesystem::copy(base.folder / "pipeline", copy, std::filesystem::copy_options::recursive);
    json config = json::parse(std::ifstream(copy / "transformer/config.json"));
    config["sample_size"] = 32;
    std::ofstream(copy / "transformer/config.json") << config.dump();
    pipeline::SampleRequest request = base.request("fp32");
    request.model = copy;
    request.more.clear();
    request.recipe.steps = 2;
    request.recipe.width = 120;
    request.recipe.height = 72;
    request.recipe.bin_size = true;
    const model::SafeTensors expected(golden / "expected.safetensors");
    const pipeline::Sample sample = pipeline::Sampler().generate(request);
    QVERIFY(relativeError(sample.latents, expected.copy(expected.entries().at("latents"))) < 1e-4);
    QCOMPARE(sample.image.width, 120);
    QCOMPARE(sample.image.height, 72);
    const int off = pixelsOff(sample.image, expected.copy(expected.entries().at("image_u8"))[0]);
    QVERIFY2(off <= 1, qPrintable(QString::number(off)));
    config["sample_size"] = 48;
    std::ofstream(copy / "transformer/config.json") << config.dump();
    QVERIFY_THROWS_EXCEPTION(model::ModelError, pipeline::Sampler().generate(request));
    request.model = Case("dit_a").folder / "pipeline";
    QVERIFY_THROWS_EXCEPTION(std::invalid_argument, pipeline::Sampler().generate(request));
  }

  void picturesBeyondThePositionsAreRefused() {
    pipeline::SampleRequest request = Case("sd3_b").request("fp32");
    request.recipe.width = 160;   // 10 patches; pos_embed_max_size is 9
    QVERIFY_THROWS_EXCEPTION(model::ModelError, pipeline::Sampler().generate(request));
  }

  // Linear layers are packed, but those that diffusers' layerwise casting leaves alone.
  void fp8LeavesWhatDiffusersLeaves_data() { addCases(); }
  void fp8LeavesWhatDiffusersLeaves() {
    QFETCH(QString, name);
    pipeline::SampleRequest request = Case(name).request("fp8-layerwise");
    request.more.clear();
    const json report = pipeline::Sampler().generate(request).report;
    int packed = 0, kept = 0;
    for (const json& layer : report["weights"]["transformer"]["layers"]) {
      const QString called = QString::fromStdString(layer["name"]);
      if (layer["shape"].size() != 2 || called.contains("table")) continue;
      const bool skipped = called.contains("norm") || called.contains("adaln_single") || called == "proj_out";
      QCOMPARE(layer["precision"] == "fp8-layerwise", !skipped);
      ++(skipped ? kept : packed);
    }
    QVERIFY(packed > 10 && kept > 0);
  }

  void unsupportedSettings_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    const auto row = [](const char* name, const char* key, const char* value) {
      QTest::newRow(qPrintable(QString("%1 %2=%3").arg(name, key, value))) << name << key << value;
    };
    row("dit_a", "norm_type", "\"layer_norm\"");
    row("dit_a", "out_channels", "7");
    row("dit_a", "activation_fn", "\"geglu\"");
    row("dit_b", "num_embeds_ada_norm", "900");
    row("dit_a", "sample_size", "7");
    row("dit_a", "_class_name", "\"UNet2DModel\"");
    row("sd3_a", "qk_norm", "\"layer_norm\"");
    row("sd3_a", "caption_projection_dim", "20");
    row("sd3_a", "out_channels", "8");
    row("pixart_a", "use_additional_conditions", "true");
    row("pixart_a", "norm_elementwise_affine", "true");
    row("pixart_a", "attention_type", "\"gated\"");
    row("pixart_a", "cross_attention_dim", "20");
  }
  void unsupportedSettings() {
    QFETCH(QString, name);
    QFETCH(QString, key);
    QFETCH(QString, value);
    const QString said = complaint(name, "transformer/config.json", [&](json& config) {
      config[key.toStdString()] = json::parse(value.toStdString());
    });
    QVERIFY2(said.contains("transformer/config.json: " + key + "="), qPrintable(said));
    QVERIFY(!said.contains('\n'));
  }

  void aMissingTensorIsNamed() {
    const QString said = complaint("sd3_a", "transformer/config.json", [](json& config) { config["dual_attention_layers"] = {0, 1, 2}; });
    QVERIFY2(said.contains("transformer_blocks.2."), qPrintable(said));
  }
};

QTEST_GUILESS_MAIN(TransformerPipelinesTest)
#include "pipeline_transformer_test.moc"
