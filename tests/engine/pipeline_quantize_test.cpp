// Packed pipelines against what the reference libraries write (tests/parity/checkpoint_cases.py).
#include "engine/model/folder.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/quantize_model.h"
#include "engine/pipeline/sampler.h"
#include "tests/engine/checkpoint_digest.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <ATen/ATen.h>

using namespace quantspot;
using nlohmann::json;
using test::digest;
using test::readJson;

namespace {

const std::filesystem::path kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden";
const std::filesystem::path kPipeline = kGolden / "flux_a" / "pipeline";

}  // namespace

class QuantizeTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  std::filesystem::path path(const char* name) const { return std::filesystem::path(folder_.path().toStdString()) / name; }
  pipeline::QuantizeResult write(const std::string& policy, const char* name) const {
    return pipeline::quantizeModel({kPipeline, path(name), quant::parsePolicy(policy)});
  }

 private Q_SLOTS:
  void tensorsAreThoseOfTheReference_data() {
    QTest::addColumn<QString>("precision");
    const json all = readJson(kGolden / "quant" / "checkpoints.json");
    for (const auto& [id, expected] : all.items()) QTest::newRow(id.c_str()) << QString::fromStdString(id);
  }
  void tensorsAreThoseOfTheReference() {
    QFETCH(QString, precision);
    const json expected = readJson(kGolden / "quant" / "checkpoints.json")[precision.toStdString()];
    const QByteArray name = precision.toUtf8().replace('?', '-');
    pipeline::QuantizeRequest request{kPipeline, path(name), quant::parsePolicy(precision.toStdString())};
    float scale = 0;
    if (precision == "quanto-int8a8")   // as the script has them
      for (const auto& [layer, value] : expected["files"]["quanto_qmap.json"].items()) scale += 1, request.scales[layer] = {scale / 64, scale / 32};
    pipeline::quantizeModel(request);
    const model::SafeTensors file(path(name) / "transformer" / "diffusion_pytorch_model.safetensors");
    for (const auto& [layer, value] : expected["layers"].items()) QVERIFY2(digest(file, layer) == value.get<std::string>(), layer.c_str());
    QCOMPARE(file.entries().size(), expected["tensors"].get<std::size_t>());
    if (expected.contains("config")) {
      json config = readJson(path(name) / "transformer" / "config.json")["quantization_config"], wanted = expected["config"];
      for (json* one : {&config, &wanted})   // an empty list and null are the same to the libraries
        if ((*one)["modules_to_not_convert"].empty()) (*one)["modules_to_not_convert"] = nullptr;
      QVERIFY2(config == wanted, config.dump().c_str());
    }
    if (expected.contains("files"))
      for (const auto& [beside, content] : expected["files"].items()) QVERIFY(readJson(path(name) / "transformer" / beside) == content);
    if (expected.contains("metadata"))
      for (const auto& [key, value] : expected["metadata"].items()) QCOMPARE(file.metadata().at(key), value.get<std::string>());
  }

  void theFolderIsAWholePipeline() {
    const pipeline::QuantizeResult result = write("bnb-nf4?skip=proj_out", "whole");
    QVERIFY(model::inspectFolder(path("whole")).missing.empty());
    QVERIFY(result.bytes < result.was && !result.packed.empty());
    const json config = readJson(path("whole") / "transformer" / "config.json");
    QCOMPARE(QString::fromStdString(config["quantization_config"]["bnb_4bit_quant_type"]), QStringLiteral("nf4"));
    const json skipped = config["quantization_config"]["llm_int8_skip_modules"];
    QCOMPARE(result.kept.size(), skipped.size());
    QVERIFY(std::ranges::find(skipped, "proj_out") != skipped.end());
    QVERIFY(!std::filesystem::exists(path("whole.part")));
    const model::SafeTensors file(path("whole") / "transformer" / "diffusion_pytorch_model.safetensors");
    QVERIFY(file.entries().at("proj_out.weight").dtype == at::kBFloat16);
  }

  void optionsAreWritten() {
    write("bnb-int8?threshold=3.5", "threshold");
    QCOMPARE(readJson(path("threshold") / "transformer" / "config.json")["quantization_config"]["llm_int8_threshold"].get<double>(), 3.5);
    write("bnb-nf4?blocksize=256", "block");
    const model::SafeTensors file(path("block") / "transformer" / "diffusion_pytorch_model.safetensors");
    const auto bytes = file.entries().at("proj_out.weight.quant_state.bitsandbytes__nf4").bytes;
    QVERIFY(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find("\"blocksize\": 256") != std::string::npos);
    QCOMPARE(file.entries().at("proj_out.weight.absmax").shape[0], std::int64_t{64 * 28 / 256});
  }

  void textEncodersArePackedWhenThePolicySaysSo() {
    write("bnb-int8?text_encoder_2=bnb-int8", "text");
    const model::SafeTensors t5(path("text") / "text_encoder_2" / "model.safetensors"), clip(path("text") / "text_encoder" / "model.safetensors");
    QVERIFY(t5.entries().contains("encoder.block.0.layer.0.SelfAttention.q.SCB"));
    QVERIFY(!t5.entries().contains("encoder.block.0.layer.1.DenseReluDense.wo.SCB"));
    const json skipped = readJson(path("text") / "text_encoder_2" / "config.json")["quantization_config"]["llm_int8_skip_modules"];
    QVERIFY(std::ranges::find(skipped, "encoder.block.0.layer.1.DenseReluDense.wo") != skipped.end());
    for (const auto& [name, entry] : clip.entries()) QVERIFY2(!name.ends_with(".SCB"), name.c_str());
  }

  // bf16 weights written and read again are the same pipeline.
  void plainWeightsMakeTheSamePicture() {
    write("bf16", "plain");
    protocol::Recipe recipe;
    recipe.prompt = "one pizza";
    recipe.steps = 2;
    recipe.width = 64, recipe.height = 48, recipe.max_sequence_length = 24;
    pipeline::Sampler sampler;
    const auto draw = [&](const std::filesystem::path& model) {
      return sampler.generate({.model = model, .policy = quant::parsePolicy("bf16"), .recipe = recipe, .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr}).latents;
    };
    QVERIFY(at::equal(draw(path("plain")), draw(kPipeline)));
  }

  void fp8WeightsRestInFp8() {
    write("fp8-layerwise", "fp8");
    const model::SafeTensors file(path("fp8") / "transformer" / "diffusion_pytorch_model.safetensors");
    QVERIFY(file.entries().at("transformer_blocks.0.attn.to_q.weight").dtype == at::kFloat8_e4m3fn);
    QVERIFY(file.entries().at("proj_out.weight").dtype == at::kBFloat16);
    QVERIFY(!readJson(path("fp8") / "transformer" / "config.json").contains("quantization_config"));
  }

  void whatCannotBeWrittenIsSaid() {
    const auto complaint = [&](const std::string& policy, const char* name) {
      try {
        write(policy, name);
        return QString("written");
      } catch (const std::exception& error) {
        return QString(error.what());
      }
    };
    QVERIFY(QDir().mkpath(folder_.filePath("there")));
    QVERIFY(complaint("bnb-nf4", "there").contains("already there"));
    QVERIFY(complaint("quanto-int8a8", "scales").contains("no scale"));
    QVERIFY(complaint("bnb-nf4?proj_out=bnb-int8", "mixed").contains("proj_out"));
    QVERIFY(!std::filesystem::exists(path("mixed")) && !std::filesystem::exists(path("mixed.part")));
  }
};

QTEST_GUILESS_MAIN(QuantizeTest)
#include "pipeline_quantize_test.moc"
