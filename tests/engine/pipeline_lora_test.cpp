// LoRA files in three namings against diffusers (tests/parity/lora_cases.py), on plain and on packed weights.
#include "engine/model/assembled.h"
#include "engine/model/flux/names.h"
#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/model/gguf_convert.h"
#include "engine/model/lora.h"
#include "engine/model/lora_names.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/sampler.h"

#include <QTemporaryDir>
#include <QTest>

#include <ATen/ATen.h>

using namespace quantspot;

namespace {

const std::filesystem::path kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden";

pipeline::Sample draw(pipeline::Sampler& sampler, const std::string& precision, std::vector<pipeline::Adapter> adapters) {
  protocol::Recipe recipe;
  recipe.prompt = "one pizza";
  recipe.seed = 5;
  recipe.steps = 3;
  recipe.width = 64, recipe.height = 48, recipe.max_sequence_length = 24;
  return sampler.generate({.model = kGolden / "flux_a" / "pipeline", .policy = quant::parsePolicy(precision), .recipe = recipe,
                           .adapters = std::move(adapters), .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr});
}

pipeline::Sample draw(const std::string& precision, std::vector<pipeline::Adapter> adapters) {
  pipeline::Sampler sampler;
  return draw(sampler, precision, std::move(adapters));
}

double distance(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

}  // namespace

class LoraTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  std::filesystem::path path(const char* name) const { return std::filesystem::path(folder_.path().toStdString()) / name; }

  QString complaint(const std::vector<std::pair<std::string, at::Tensor>>& tensors) const {
    model::saveSafeTensors(path("bad.safetensors"), tensors);
    try {
      draw("fp32", {{path("bad.safetensors"), 1}});
      return "accepted";
    } catch (const model::ModelError& error) {
      return error.what();
    }
  }

 private Q_SLOTS:
  void latentsAreThoseOfDiffusers_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<double>("scale");
    QTest::newRow("PEFT") << "peft" << 1.0;
    QTest::newRow("PEFT, alpha in its settings, scaled") << "peft_alpha" << 0.5;
    QTest::newRow("kohya, fused layers") << "kohya" << 1.0;
  }
  void latentsAreThoseOfDiffusers() {
    QFETCH(QString, name);
    QFETCH(double, scale);
    const model::SafeTensors file(kGolden / "lora" / "expected.safetensors");
    const at::Tensor expected = file.copy(file.entries().at(name.toStdString())), none = file.copy(file.entries().at("none"));
    const pipeline::Sample sample = draw("fp32", {{kGolden / "lora" / (name.toStdString() + ".safetensors"), scale}});
    QVERIFY2(distance(sample.latents, expected) < 1e-4, qPrintable(QString::number(distance(sample.latents, expected))));
    QVERIFY(distance(sample.latents, none) > 0.02);
    const nlohmann::json report = sample.report["loras"][0];
    QVERIFY(report["effect"].get<double>() > 0.01 && report["layers"].get<int>() > 3 && report["unmatched"].empty());
  }

  void stableDiffusionAsOfDiffusers_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("pipeline");
    QTest::addColumn<double>("scale");
    QTest::newRow("SD, PEFT, scaled, 1 x 1 convolutions among them") << "sd_peft" << "sd_a" << 0.5;
    QTest::newRow("SD, kohya") << "sd_kohya" << "sd_a" << 1.0;
    QTest::newRow("SDXL, kohya, both encoders") << "sdxl_kohya" << "sdxl_a" << 1.0;
  }
  void stableDiffusionAsOfDiffusers() {
    QFETCH(QString, name);
    QFETCH(QString, pipeline);
    QFETCH(double, scale);
    const std::filesystem::path folder = kGolden / pipeline.toStdString();
    nlohmann::json recipe = model::readJson(folder / "case.json");
    recipe["prompt"] = recipe["prompts"][0];
    recipe["seed"] = recipe["seeds"][0];
    recipe.erase("strength");   // of another case with the same pipeline
    pipeline::SampleRequest request{.model = folder / "pipeline", .policy = quant::parsePolicy("fp32"), .recipe = recipe.get<protocol::Recipe>(),
                                    .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr};
    request.adapters = {{kGolden / "sd_lora" / (name.toStdString() + ".safetensors"), scale}};
    pipeline::Sampler sampler;
    const pipeline::Sample sample = sampler.generate(request);
    const model::SafeTensors file(kGolden / "sd_lora/expected.safetensors");
    const double off = distance(sample.latents, file.copy(file.entries().at(name.toStdString())));
    QVERIFY2(off < 1e-4, qPrintable(QString::number(off)));
    const nlohmann::json report = sample.report["loras"][0];
    QVERIFY2(report["unmatched"].empty(), report["unmatched"].dump().c_str());
    QVERIFY(report["effect"].get<double>() > 0.01 && report["layers"].get<int>() > 60);
  }

  void kohyasNamesHaveTheirDotsBack_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("layer");
    const auto row = [](const char* key, const char* layer) { QTest::newRow(key) << key << layer; };
    row("lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_out_0", "down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_out.0");
    row("lora_unet_up_blocks_3_resnets_2_time_emb_proj", "up_blocks.3.resnets.2.time_emb_proj");
    row("lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj", "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj");
    row("lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k", "down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k");
    row("lora_unet_input_blocks_8_1_proj_in", "down_blocks.2.attentions.1.proj_in");
    row("lora_unet_input_blocks_7_0_emb_layers_1", "down_blocks.2.resnets.0.time_emb_proj");
    row("lora_unet_middle_block_1_transformer_blocks_9_ff_net_2", "mid_block.attentions.0.transformer_blocks.9.ff.net.2");
    row("lora_unet_output_blocks_5_1_transformer_blocks_0_attn1_to_q", "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_q");
    row("lora_unet_output_blocks_0_1_proj_out", "up_blocks.0.attentions.0.proj_out");
    row("lora_te_text_model_encoder_layers_11_mlp_fc2", "text_encoder.text_model.encoder.layers.11.mlp.fc2");
    row("lora_te2_text_model_encoder_layers_31_self_attn_v_proj", "text_encoder_2.text_model.encoder.layers.31.self_attn.v_proj");
    row("lora_unet_double_blocks_0_img_attn_qkv", "");
    row("transformer_blocks.0.attn.to_q", "");
  }
  void kohyasNamesHaveTheirDotsBack() {
    QFETCH(QString, key);
    QFETCH(QString, layer);
    QCOMPARE(QString::fromStdString(model::kohyaLayer(key.toStdString()).value_or("")), layer);
  }

  void convolutionsLargerThanOnePixelAreRefused() {
    const QString error = complaint({{"lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight", at::ones({2, 8, 3, 3})},
                                     {"lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight", at::ones({8, 2, 1, 1})}});
    QVERIFY2(error.contains("bad.safetensors") && error.contains("conv1") && error.contains("3 × 3"), qPrintable(error));
  }

  // The known trap: an update that is silently lost on quantized weights.
  void packedWeightsKeepTheUpdate_data() {
    QTest::addColumn<QString>("precision");
    for (const char* id : {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4", "bnb-fp4-dq"}) QTest::newRow(id) << id;
  }
  void packedWeightsKeepTheUpdate() {
    QFETCH(QString, precision);
    const pipeline::Adapter lora{kGolden / "lora" / "peft_alpha.safetensors", 1};
    const pipeline::Sample with = draw(precision.toStdString(), {lora}), without = draw(precision.toStdString(), {});
    const double plain = draw("fp32", {lora}).report["loras"][0]["effect"].get<double>(), effect = with.report["loras"][0]["effect"].get<double>();
    QVERIFY2(std::abs(effect / plain - 1) < 0.2, qPrintable(QString("%1 beside %2").arg(effect).arg(plain)));
    QVERIFY(distance(with.latents, without.latents) > 0.02);
    QVERIFY(without.report["loras"].empty());
  }

  // Layers that stay as a GGUF file has them never pass the packing.
  void layersKeptFromAGgufFileGetTheUpdate() {
    const std::filesystem::path parts = QUANTSPOT_SOURCE_DIR "/resources/default_model", file = path("q8.gguf");
    model::convertToGguf(parts, quant::parsePolicy("gguf-q8_0"), file);
    const model::AssembledPipeline assembled(file, parts);
    const std::string layer = "transformer.single_transformer_blocks.0.attn.to_q";
    model::saveSafeTensors(path("one.safetensors"), {{layer + ".lora_A.weight", at::ones({1, 256}) / 16}, {layer + ".lora_B.weight", at::ones({256, 1})}});
    protocol::Recipe recipe;
    recipe.prompt = "a fox";
    recipe.steps = 1;
    recipe.width = recipe.height = 64;
    pipeline::Sampler sampler;
    const pipeline::Sample sample = sampler.generate({.model = assembled.folder(), .policy = quant::parsePolicy("gguf-q8_0"), .recipe = recipe,
                                                      .adapters = {{path("one.safetensors"), 1}}, .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr});
    const nlohmann::json report = sample.report["loras"][0];
    QCOMPARE(report["layers"].get<int>(), 1);
    QVERIFY(report["effect"].get<double>() > 0.001);
    for (const auto& one : sample.report["weights"]["transformer"]["layers"])
      if (one["name"] == "single_transformer_blocks.0.attn.to_q") QCOMPARE(one["precision"].get<std::string>(), std::string("gguf-q8_0"));
  }

  void aScaleOfZeroIsReportedAsNoEffect() {
    const pipeline::Sample sample = draw("fp32", {{kGolden / "lora" / "peft.safetensors", 0}});
    QCOMPARE(sample.report["loras"][0]["effect"].get<double>(), 0.0);
    QCOMPARE(distance(sample.latents, draw("fp32", {}).latents), 0.0);
  }

  void severalFilesAddUp() {
    const pipeline::Adapter half{kGolden / "lora" / "peft.safetensors", 0.5};
    const pipeline::Sample twice = draw("fp32", {half, half}), once = draw("fp32", {{half.file, 1}});
    QVERIFY(distance(twice.latents, once.latents) < 1e-5);
    QCOMPARE(twice.report["loras"].size(), std::size_t{2});
  }

  // A sampler that has kept an embedding must not use it for another text encoder.
  void thePromptIsEncodedWithIt() {
    const std::vector<pipeline::Adapter> lora = {{kGolden / "lora" / "peft.safetensors", 1}};
    pipeline::Sampler sampler;
    const at::Tensor before = draw(sampler, "fp32", {}).latents;
    QCOMPARE(distance(draw(sampler, "fp32", lora).latents, draw("fp32", lora).latents), 0.0);
    QCOMPARE(distance(draw(sampler, "fp32", {}).latents, before), 0.0);
  }

  void layersThatTheModelLacksAreListed() {
    auto file = model::readLora(kGolden / "lora" / "peft.safetensors");
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (const auto& [layer, update] : file) tensors.insert(tensors.end(), {{layer + ".lora_A.weight", update.down}, {layer + ".lora_B.weight", update.up}});
    tensors.insert(tensors.end(), {{"transformer.other.lora_A.weight", at::ones({1, 2})}, {"transformer.other.lora_B.weight", at::ones({2, 1})}});
    model::saveSafeTensors(path("more.safetensors"), tensors);
    const nlohmann::json report = draw("fp32", {{path("more.safetensors"), 1}}).report["loras"][0];
    QCOMPARE(report["unmatched"].size(), std::size_t{1});
    QCOMPARE(QString::fromStdString(report["unmatched"][0]), QStringLiteral("other"));
  }

  void whatIsWrongIsNamed() {
    const at::Tensor down = at::ones({2, 28}), up = at::ones({28, 2});
    const std::string layer = "transformer.transformer_blocks.0.attn.to_q";
    QVERIFY(complaint({{layer + ".lora_A.weight", down}}).contains("only one of its two"));
    QVERIFY(complaint({{layer + ".lora_A.weight", down}, {layer + ".lora_B.weight", at::ones({28, 3})}}).contains("no pair"));
    QVERIFY(complaint({{layer + ".lora_A.weight", at::ones({2, 9})}, {layer + ".lora_B.weight", up}}).contains("to_q"));
    QVERIFY(complaint({{layer + ".dora_scale", up}}).contains("dora_scale"));
    QVERIFY(complaint({{"transformer.nowhere.lora_A.weight", down}, {"transformer.nowhere.lora_B.weight", up}}).contains("none of its 1 layers"));
    QVERIFY(complaint({{"lora_unet_other_blocks_0.lora_down.weight", down}, {"lora_unet_other_blocks_0.lora_up.weight", up}}).contains("is not known"));
    QVERIFY(complaint({}).contains("holds no LoRA"));
  }

  void originalNamesAreThoseOfDiffusers() {
    const auto layers = [](const char* name) {
      std::vector<std::string> names;
      if (const auto entry = model::fluxEntry(name))
        for (const model::FluxPart& part : entry->parts) names.push_back(part.name);
      return names;
    };
    using Layers = std::vector<std::string>;
    QCOMPARE(layers("double_blocks.3.txt_attn.qkv"),
             (Layers{"transformer_blocks.3.attn.add_q_proj", "transformer_blocks.3.attn.add_k_proj", "transformer_blocks.3.attn.add_v_proj"}));
    QCOMPARE(layers("single_blocks_12_linear1").back(), std::string("single_transformer_blocks.12.proj_mlp"));
    QCOMPARE(layers("final_layer.adaLN_modulation.1"), Layers{"norm_out.linear"});
    QCOMPARE(layers("time_in_in_layer"), Layers{"time_text_embed.timestep_embedder.linear_1"});
    for (const char* unknown : {"double_blocks.img_attn.qkv", "double_blocks.3", "single_blocks.3.linear3", "transformer_blocks.0.attn.to_q", "",
                                "double_blocks.99999999999999999999.img_mlp.0"})
      QVERIFY2(!model::fluxEntry(unknown), unknown);
  }

  void fusedLayersAreCutInOrder() {
    const at::Tensor down = at::ones({1, 4}), up = at::arange(28).to(at::kFloat).view({28, 1});
    model::saveSafeTensors(path("fused.safetensors"), {{"diffusion_model.single_blocks.0.linear1.lora_A.weight", down},
                                                       {"diffusion_model.single_blocks.0.linear1.lora_B.weight", up},
                                                       {"diffusion_model.final_layer.adaLN_modulation.1.lora_A.weight", down},
                                                       {"diffusion_model.final_layer.adaLN_modulation.1.lora_B.weight", up.slice(0, 0, 8)}});
    const auto layers = model::readLora(path("fused.safetensors"));
    QVERIFY(at::equal(layers.at("single_transformer_blocks.0.attn.to_v").up, up.slice(0, 8, 12)));
    QVERIFY(at::equal(layers.at("single_transformer_blocks.0.proj_mlp").up, up.slice(0, 12)));
    QCOMPARE(layers.at("norm_out.linear").up[0].item<float>(), 4.f);   // the halves change places
  }
};

QTEST_GUILESS_MAIN(LoraTest)
#include "pipeline_lora_test.moc"
