// What the memory model says, against what pictures take.
#include "engine/pipeline/dry_run.h"
#include "engine/pipeline/memory_model.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/sampler.h"
#include "tests/real_memory.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <QTest>

#include <algorithm>
#include <map>
#include <vector>

using namespace quantspot;

namespace {

const std::filesystem::path kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden", kDefault = QUANTSPOT_SOURCE_DIR "/resources/default_model";

protocol::Recipe recipeOf(int width, int height) {
  protocol::Recipe recipe;
  recipe.prompt = "1";                   // a class for those that draw classes
  recipe.steps = 1;
  recipe.width = width;
  recipe.height = height;
  return recipe;
}

nlohmann::json draw(const std::string& precision, const protocol::Recipe& recipe, std::size_t batch, pipeline::Offload offload) {
  pipeline::Sampler sampler;
  pipeline::SampleRequest request{.model = kDefault, .policy = quant::parsePolicy(precision), .recipe = recipe, .offload = offload, .device = "cpu",
                                  .noise = {}, .progress = {}, .cancel = nullptr};
  for (std::size_t i = 1; i < batch; ++i) {
    request.more.push_back(recipe);
    request.more.back().seed = i;
  }
  return sampler.generateBatch(request).front().report;
}

at::Tensor meta(at::IntArrayRef shape, at::ScalarType type = at::kFloat) { return at::empty(shape, at::TensorOptions(type).device(at::kMeta)); }

}  // namespace

class MemoryModelTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Within 10 % of the process's peak, the floor included, phase by phase, in the middle one of three runs (what malloc keeps of the phase before
  // differs from run to run); a picture before has brought the libraries in.
  // First of all tests: memory that malloc keeps of others would serve these phases, unseen.
  void itIsWithinTenPercentOfPeaks_data() {
    QTest::addColumn<QString>("precision");
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("batch");
    QTest::addColumn<QString>("offload");
    for (const char* precision : {"bf16", "bnb-int8", "bnb-nf4", "gguf-q4_k"}) QTest::newRow(precision) << precision << 128 << 128 << 1 << "none";
    QTest::newRow("192 × 128") << "bf16" << 192 << 128 << 1 << "none";
    QTest::newRow("256 × 256") << "bf16" << 256 << 256 << 1 << "none";
    for (const char* offload : {"group", "sequential"}) QTest::newRow(offload) << "bf16" << 256 << 256 << 1 << offload;
    QTest::newRow("packed blocks") << "bnb-nf4" << 256 << 256 << 1 << "group";   // without a cache: from a file without a name
    QTest::newRow("four") << "bf16" << 128 << 128 << 4 << "none";
    for (const char* precision : {"bf16", "bnb-nf4"}) QTest::addRow("four larger ones, %s", precision) << precision << 256 << 256 << 4 << "none";
  }
  void itIsWithinTenPercentOfPeaks() {
    SKIP_UNDER_SANITIZER();
    QFETCH(QString, precision);
    QFETCH(int, width);
    QFETCH(int, height);
    QFETCH(int, batch);
    QFETCH(QString, offload);
    const pipeline::Offload mode = pipeline::parseOffload(offload.toStdString());
    draw(precision.toStdString(), recipeOf(64, 64), 1, mode);
    const auto all = pipeline::memoryModel(kDefault, precision.toStdString(), recipeOf(width, height), static_cast<std::size_t>(batch));
    const pipeline::PlacementMemory& model = offload == "group" ? all.group : offload == "sequential" ? all.sequential : all.inTurn;
    std::map<std::string, std::vector<double>> off;
    for (int run = 0; run < 3; ++run) {
      const nlohmann::json report = draw(precision.toStdString(), recipeOf(width, height), static_cast<std::size_t>(batch), mode);
      for (const auto& [phase, told] : {std::pair("denoise", model.denoise), {"decode", model.decode}})
        off[phase].push_back((report["floor_bytes"].get<double>() + static_cast<double>(told.total())) / report["peak_bytes"][phase].get<double>() - 1);
    }
    for (auto& [phase, all] : off) {
      std::ranges::sort(all);
      QVERIFY2(std::abs(all[1]) < 0.1, qPrintable(QString("%1: %2 %").arg(phase.c_str()).arg(100 * all[1])));
    }
  }

  void aDryRunCountsWhatLivesAtOnce() {
    const c10::InferenceMode inference;
    constexpr std::int64_t mib = 1 << 20;
    const auto peak = pipeline::peakOfDryRun([&] {
      const at::Tensor x = meta({mib / 4});                    // 1 MiB
      at::Tensor y = x + 1;                                    // 2
      y = at::Tensor();                                        // 1
      const at::Tensor z = at::cat({x, x});                    // 3
      pipeline::addScratch(5 * mib);                           // 8
      meta({10 * mib}, at::kByte);                             // 13: in a large block
    });
    QCOMPARE(peak.bytes, 13 * mib);
    QCOMPARE(pipeline::peakOfDryRun([] { meta({40 << 20}, at::kByte); }).small, 0);
    QCOMPARE(pipeline::peakOfDryRun([] { meta({mib}, at::kByte); }).smallTight, 0);
    QCOMPARE(pipeline::peakOfDryRun([] { meta({mib / 4}, at::kByte); }).smallTight, mib / 4);
    QCOMPARE(pipeline::peakOfDryRun([] {}).bytes, 0);          // and nothing stays from before
  }

  // Blocks of 3, 5, 2 and 4 MiB, of layers of 1 MiB: two neighbours at once, the last and the first among them, or one layer; with 1 MiB of activations.
  void whatComesAndGoesIsCounted() {
    const c10::InferenceMode inference;
    constexpr std::int64_t mib = 1 << 20;
    const quant::Policy policy = quant::parsePolicy("fp32");
    for (const auto& [mode, most] : {std::pair(pipeline::Offload::Group, 8), {pipeline::Offload::Sequential, 1}, {pipeline::Offload::Model, 14}}) {
      const auto stream = std::make_shared<pipeline::LayerStream>(mode, pipeline::makeDryTransfer);
      model::LoadOptions options;
      pipeline::measureLayers(options, policy, stream);
      std::vector<std::unique_ptr<quant::Linear>> layers;
      for (const auto& [block, count] : {std::pair("a.0.", 3), {"a.1.", 5}, {"a.2.", 2}, {"a.3.", 4}})
        for (int i = 0; i < count; ++i) layers.push_back(options.linear({block + std::to_string(i), {512, 512}, {}}, std::nullopt));
      const auto peak = pipeline::peakOfDryRun([&] {
        const at::Tensor x = meta({256, 512});                 // half a MiB, and each result
        for (int step = 0; step < 2; ++step)
          for (const auto& layer : layers) layer->forward(x);
        stream->rest();
      });
      QCOMPARE(peak.held, most * mib);
      QCOMPARE(peak.bytes, (most + 1) * mib);
    }
  }

  // torch's convolution on the CPU gives the shapes that the dry one does.
  void dryOperationsHaveTheShapesOfRealOnes() {
    const c10::InferenceMode inference;
    const auto same = [](const auto& operation) {
      const at::Tensor dry = operation([](at::IntArrayRef shape) { return meta(shape); }), real = operation([](at::IntArrayRef shape) { return at::rand(shape); });
      return dry.sizes() == real.sizes() && dry.scalar_type() == real.scalar_type();
    };
    QVERIFY(same([](const auto& x) { return at::conv2d(x({2, 4, 9, 8}), x({6, 4, 3, 3}), x({6}), {2, 2}, {1, 1}); }));
    QVERIFY(same([](const auto& x) { return at::conv2d(x({1, 4, 5, 5}), x({3, 4, 1, 1})); }));
    QVERIFY(same([](const auto& x) { return at::layer_norm(x({2, 7, 8}), {8}, {}, {}, 1e-5); }));
    QVERIFY(same([](const auto& x) { return at::group_norm(x({2, 8, 3, 5}), 4, x({8}), x({8}), 1e-5); }));
    QVERIFY(same([](const auto& x) { return at::scaled_dot_product_attention(x({2, 3, 5, 8}), x({2, 3, 7, 8}), x({2, 3, 7, 8})); }));
    QVERIFY(same([](const auto& x) { return at::where(x({3, 1}) > 0, x({3, 4}), x({4})); }));
    QVERIFY(same([](const auto& x) { return at::relu(at::abs(x({3, 1}))); }));
  }

  void everyFamilyRunsDry_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "flux_b", "sd_a", "sd_b", "sdxl_a", "sdxl_b", "sd3_a", "sd3_b", "pixart_a", "pixart_b", "dit_a", "dit_b"}) QTest::newRow(name) << name;
  }
  void everyFamilyRunsDry() {
    QFETCH(QString, name);
    const std::filesystem::path folder = kGolden / name.toStdString() / "pipeline";
    const pipeline::MemoryModel one = pipeline::memoryModel(folder, "bf16", recipeOf(64, 64), 1), four = pipeline::memoryModel(folder, "bf16", recipeOf(64, 64), 4);
    QVERIFY(one.inTurn.denoise.weights > 0 && one.inTurn.denoise.activations > 0 && one.inTurn.decode.activations > 0);
    for (const auto phase : {&pipeline::PlacementMemory::denoise, &pipeline::PlacementMemory::decode}) {
      const double ratio = static_cast<double>((four.inTurn.*phase).activations) / static_cast<double>((one.inTurn.*phase).activations);
      QVERIFY2(ratio > 2 && ratio < 4.1, qPrintable(QString::number(ratio)));
    }
    QVERIFY(one.together.highest() >= one.inTurn.highest() && one.inTurn.highest() >= one.group.highest() && one.group.denoise.weights >= one.sequential.denoise.weights);
    QVERIFY(pipeline::memoryModel(folder, "bnb-nf4", recipeOf(64, 64), 1).inTurn.denoise.weights < one.inTurn.denoise.weights);
    QVERIFY(pipeline::memoryModel(folder, "bf16", recipeOf(64, 64), 1, true).inTurn.decode.activations <= one.inTurn.decode.activations);
  }

  // Large layers are measured by a part of their rows.
  void bytesOfLargeLayersAreExact_data() {
    QTest::addColumn<QString>("id");
    for (const char* id : {"bf16", "bnb-int8", "bnb-nf4", "bnb-nf4-dq", "torchao-int4wo", "quanto-int4", "quanto-int2", "fp8-layerwise", "gguf-q4_k", "gguf-q2_k", "int8-dynamic"}) QTest::newRow(id) << id;
  }
  void bytesOfLargeLayersAreExact() {
    QFETCH(QString, id);
    const quant::Policy policy = quant::parsePolicy(id.toStdString());
    model::LoadOptions options;
    pipeline::measureLayers(options, policy);
    const model::LayerWeight layer{"x", {8192, 768}, {}};
    const quant::Quantizer& quantizer = pipeline::quantizerFor(policy, "x", layer.shape);
    const at::ScalarType type = quantizer.computeType();
    const std::int64_t real = quantizer.linear(quantizer.pack(at::zeros(layer.shape, type)), at::zeros({layer.shape[0]}, type))->bytes();
    QCOMPARE(options.linear(layer, at::zeros({layer.shape[0]}))->bytes(), real);
  }

  void nonsenseIsRefused() {
    QVERIFY_EXCEPTION_THROWN(pipeline::memoryModel(kDefault, "bnb-nf3", recipeOf(64, 64), 1), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(pipeline::memoryModel(kDefault, "bf16", recipeOf(65, 64), 1), std::invalid_argument);
  }
};

QTEST_GUILESS_MAIN(MemoryModelTest)
#include "pipeline_memory_model_test.moc"
