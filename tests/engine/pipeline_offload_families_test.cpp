// Every family draws the same picture however its layers come and go: packed weights, a GGUF file, LoRA, calibrated activations, batches, image to
// image. On a GPU, too, where there is one.
#include "engine/model/assembled.h"
#include "engine/model/gguf_convert.h"
#include "engine/pipeline/sampler.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>
#include <nlohmann/json.hpp>

#include <fstream>

using namespace quantspot;
using pipeline::Offload;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden", kDefault = QUANTSPOT_SOURCE_DIR "/resources/default_model";
#ifdef QUANTSPOT_TESTS_A_GPU
constexpr const char* kDevice = "cuda";
#else
constexpr const char* kDevice = "cpu";
#endif

pipeline::RgbImage picture(int width, int height) {
  pipeline::RgbImage image{width, height, {}};
  for (int i = 0; i < 3 * width * height; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 7 % 251));
  return image;
}

pipeline::SampleRequest requestOf(const std::string& name, const std::string& policy) {
  nlohmann::json recipe = nlohmann::json::parse(std::ifstream(kGolden / name / "case.json"));
  const nlohmann::json prompts = recipe["prompts"];
  recipe.erase("strength");
  recipe["prompt"] = prompts[0];
  recipe["seed"] = 3u;
  recipe["steps"] = 2;
  return {.model = kGolden / name / "pipeline", .policy = quant::parsePolicy(policy), .recipe = recipe.get<protocol::Recipe>(), .device = kDevice, .noise = {},
          .progress = {}, .cancel = nullptr};
}

// Latents and pixels in `mode`; on the second picture packed weights come from the cache.
std::vector<at::Tensor> drawn(pipeline::SampleRequest request, Offload mode) {
  request.offload = mode;
  pipeline::Sampler sampler;
  std::vector<at::Tensor> all;
  for (const pipeline::Sample& sample : sampler.generateBatch(request)) {
    all.push_back(sample.latents);
    all.push_back(at::tensor(at::ArrayRef<std::uint8_t>(sample.image.pixels), at::kByte));
  }
  return all;
}

bool same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const at::Tensor& x, const at::Tensor& y) { return at::equal(x, y); });
}

}  // namespace

class OffloadFamiliesTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  fs::path path(const QString& name) const { return folder_.filePath(name).toStdString(); }

  // In all modes as in none.
  void compare(pipeline::SampleRequest request, const QString& cache) {
    if (!cache.isEmpty()) request.packedCache = {path(cache), std::int64_t{1} << 30};
    const auto whole = drawn(request, Offload::None);
    for (const Offload mode : {Offload::Model, Offload::Group, Offload::Sequential})
      QVERIFY2(same(drawn(request, mode), whole), qPrintable(QString("mode %1").arg(static_cast<int>(mode))));
  }

 private Q_SLOTS:
  void initTestCase() {
    if (std::string(kDevice) == "cuda" && !at::hasCUDA()) QSKIP("no CUDA device");
  }

  void picturesAreTheSame_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("policy");
    for (const char* name : {"flux_a", "flux_b", "sd_a", "sdxl_a", "sd3_a", "pixart_a", "dit_a"})
      for (const char* policy : {"fp32", "fp16", "fp8-layerwise", "bnb-int8", "bnb-nf4-dq", "torchao-int8dq", "torchao-int4wo", "quanto-int4", "quanto-int8a8", "gguf-q4_0",
                                 "gguf-q6_k", "int8-dynamic", "bnb-nf4?text_encoder=torchao-int8wo&vae=quanto-int8"})
        if (std::string(name) + policy != "pixart_afp16")   // its autoencoder overflows in fp16, offloaded or not
          QTest::addRow("%s %s", name, policy) << name << policy;
  }
  void picturesAreTheSame() {
    QFETCH(QString, name);
    QFETCH(QString, policy);
    compare(requestOf(name.toStdString(), policy.toStdString()), name + QString::fromStdString(std::to_string(qHash(policy))));
  }

  void batchesAreTheSame_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "sd_a", "sdxl_a", "sd3_a", "pixart_a", "dit_a"}) QTest::newRow(name) << name;
  }
  void batchesAreTheSame() {
    QFETCH(QString, name);
    pipeline::SampleRequest request = requestOf(name.toStdString(), "quanto-int8");
    request.more.push_back(request.recipe);
    request.more.back().seed = 4;
    request.recipe.vae_slicing = request.more.back().vae_slicing = true;
    compare(request, "batch" + name);
  }

  void picturesFromPicturesAreTheSame_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "flux_b", "sd_a", "sdxl_a", "sd3_a"}) QTest::newRow(name) << name;
  }
  void picturesFromPicturesAreTheSame() {
    QFETCH(QString, name);
    pipeline::SampleRequest request = requestOf(name.toStdString(), "torchao-int8wo?vae=quanto-int8");
    request.image = picture(request.recipe.width, request.recipe.height);
    request.recipe.strength = 0.6;
    compare(request, "from" + name);
  }

  void layersOfAGgufFileComeAndGo_data() {
    QTest::addColumn<QString>("id");
    for (const char* id : {"gguf-q8_0", "gguf-q4_k", "gguf-q4_k?^transformer_blocks.0.attn=gguf-q6_k"}) QTest::newRow(id) << id;
  }
  void layersOfAGgufFileComeAndGo() {
    QFETCH(QString, id);
    const fs::path file = path(QString::number(qHash(id)) + ".gguf");
    model::convertToGguf(kDefault, quant::parsePolicy(id.toStdString()), file);
    const model::AssembledPipeline assembled(file, kDefault);
    pipeline::SampleRequest request = requestOf("flux_a", id.section('?', 0, 0).toStdString());
    request.model = assembled.folder();
    compare(request, {});
    request.policy = quant::parsePolicy("bnb-int8");   // made anew from its values
    compare(request, "anew");
  }

  void layersWithLoraComeAndGo_data() {
    QTest::addColumn<QString>("policy");
    for (const char* policy : {"fp32", "bnb-nf4", "gguf-q8_0", "quanto-int8a8"}) QTest::newRow(policy) << policy;
  }
  void layersWithLoraComeAndGo() {
    QFETCH(QString, policy);
    pipeline::SampleRequest request = requestOf("flux_a", policy.toStdString());
    const auto without = drawn(request, Offload::None);
    request.adapters = {{kGolden / "lora" / "peft.safetensors", 0.8}, {kGolden / "lora" / "kohya.safetensors", -0.5}};
    QVERIFY(!same(drawn(request, Offload::None), without));
    compare(request, "lora" + policy);
  }

  void scalesOfCalibratedLayersStay_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "sd_a", "dit_a"}) QTest::newRow(name) << name;
  }
  void scalesOfCalibratedLayersStay() {
    QFETCH(QString, name);
    pipeline::SampleRequest request = requestOf(name.toStdString(), "quanto-int8a8");
    request.packedCache = {path("calibrated" + name), std::int64_t{1} << 30};
    const auto without = drawn(request, Offload::None);
    request.calibration = {request.recipe.prompt, name == "dit_a" ? "1" : "one pizza"};
    const auto whole = drawn(request, Offload::None);
    QVERIFY(!same(whole, without));
    for (const Offload mode : {Offload::Group, Offload::Sequential}) {
      QVERIFY(same(drawn(request, mode), whole));
      pipeline::Sampler sampler;         // the second picture takes the scales that the first one found
      request.offload = mode;
      const at::Tensor first = sampler.generate(request).latents, second = sampler.generate(request).latents;
      QVERIFY(at::equal(first, second) && at::equal(first, whole[0]));
    }
  }
};

QTEST_GUILESS_MAIN(OffloadFamiliesTest)
#include "pipeline_offload_families_test.moc"
