// The scan and the policies that it finds, against pictures drawn with those policies.
#include "engine/model/components.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/sensitivity.h"

#include <QTest>

#include <ATen/ATen.h>

#include <random>

using namespace quantspot;
using pipeline::ScannedGroup;
using quant::LayerKind;

namespace {

pipeline::ScanRequest requestOf(const std::string& low, bool blocks) {
  pipeline::ScanRequest request{.sample = {}, .low = quant::parsePolicy(low), .prompts = {"a fox on a yellow background", "three lemons"}, .byBlock = blocks};
  request.sample.model = QUANTSPOT_SOURCE_DIR "/resources/default_model";
  request.sample.policy = quant::parsePolicy("bf16");
  request.sample.recipe.steps = 2;
  request.sample.recipe.seed = 7;
  return request;
}

// Through the sampler, a picture at a time: sums in another order than in the scan's batch, which bf16 shows (half a percent of the error).
at::Tensor latents(const pipeline::ScanRequest& request, const std::string& policy, std::size_t prompt) {
  pipeline::Sampler sampler;
  pipeline::SampleRequest sample = request.sample;
  sample.policy = quant::parsePolicy(policy);
  sample.recipe.prompt = request.prompts[prompt];
  sample.recipe.seed += prompt;
  return sampler.generate(sample).latents.to(at::kDouble);
}

double errorOf(const pipeline::ScanRequest& request, const std::string& policy) {
  double sum = 0;
  for (std::size_t i = 0; i < request.prompts.size(); ++i) {
    const at::Tensor reference = latents(request, "bf16", i), x = latents(request, policy, i);
    sum += ((x - reference).square().sum() / reference.square().sum()).item<double>();
  }
  return std::sqrt(sum / static_cast<double>(request.prompts.size()));
}

std::int64_t bytesOf(const pipeline::ScanRequest& request, const std::string& text) {
  const quant::Policy policy = quant::parsePolicy(text);
  model::LoadOptions options;
  options.compute = at::kBFloat16;
  options.device = at::kMeta;
  pipeline::measureLayers(options, policy);
  return model::loadDenoiser(request.sample.model, options)->bytes();
}

}  // namespace

class SensitivityTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aScanSaysWhatEachBlockDoes() {
    const auto request = requestOf("gguf-q2_k", true);
    pipeline::Sensitivity sensitivity(request);
    const pipeline::Scan& scan = sensitivity.scan();
    QCOMPARE(scan.bytesBefore, bytesOf(request, "bf16"));
    QCOMPARE(scan.bytesAfter, bytesOf(request, "gguf-q2_k"));
    const auto block = std::ranges::find(scan.groups, "transformer_blocks.0", &ScannedGroup::name);
    QVERIFY(block != scan.groups.end() && block->layers.size() == 14);
    const std::string alone = "bf16?^transformer_blocks.0.=gguf-q2_k";
    QCOMPARE(scan.bytesBefore - block->before + block->after, bytesOf(request, alone));
    const double wanted = errorOf(request, alone);
    QVERIFY2(std::abs(block->error - wanted) < 0.02 * wanted, qPrintable(QString("%1 is not %2").arg(block->error).arg(wanted)));
    const double all = errorOf(request, "gguf-q2_k");
    QVERIFY2(std::abs(scan.all - all) < 0.02 * all, qPrintable(QString("%1 is not %2").arg(scan.all).arg(all)));
    for (const ScannedGroup& group : scan.groups) QVERIFY(group.error > 0 && group.error < scan.all * 2 && group.after < group.before);

    // And the policies: what they are said to be is what they are.
    const pipeline::FoundPolicy accurate = sensitivity.find({.error = 0.5 * scan.all});
    QVERIFY2(accurate.measured <= 0.5 * scan.all && accurate.measured > 0, qPrintable(QString::number(accurate.measured)));
    QVERIFY(accurate.bytes < scan.bytesBefore && accurate.bytes > scan.bytesAfter);
    QCOMPARE(accurate.bytes, bytesOf(request, accurate.policy));
    const double error = errorOf(request, accurate.policy);
    QVERIFY2(std::abs(accurate.measured - error) < 0.02 * error, qPrintable(QString("%1 is not %2").arg(accurate.measured).arg(error)));
    const std::int64_t middle = (scan.bytesBefore + scan.bytesAfter) / 2;
    const pipeline::FoundPolicy small = sensitivity.find({.bytes = middle});
    QVERIFY(small.bytes <= middle && small.measured < scan.all);
    QCOMPARE(small.bytes, bytesOf(request, small.policy));
    QCOMPARE(sensitivity.find({.error = 2 * scan.all}).policy, std::string("gguf-q2_k"));
    QVERIFY_EXCEPTION_THROWN(sensitivity.find({.bytes = scan.bytesAfter - 1}), std::invalid_argument);
  }

  // What was measured once is taken as it was said; the search comes to the same.
  void groupsThatAreKnownAreNotMeasuredAgain() {
    auto request = requestOf("gguf-q2_k", true);
    request.prompts.resize(1);
    pipeline::Sensitivity first(request);
    for (const ScannedGroup& group : first.scan().groups) request.known[group.name] = {group.before, group.after, group.error};
    int rounds = 0;
    request.sample.progress = [&](const std::string& stage, int, int steps) { if (stage == "scan") rounds = steps; };
    pipeline::Sensitivity second(request);
    QCOMPARE(rounds, 2);
    QCOMPARE(second.scan().all, first.scan().all);
    QCOMPARE(second.scan().bytesAfter, first.scan().bytesAfter);
    const double half = 0.5 * first.scan().all;
    const auto one = first.find({.error = half}), other = second.find({.error = half});
    QCOMPARE(other.policy, one.policy);
    QCOMPARE(other.measured, one.measured);
    request.known.begin()->second.before += 1;
    QVERIFY_EXCEPTION_THROWN(pipeline::Sensitivity{request}, std::invalid_argument);
  }

  void layersOneByOne() {
    auto request = requestOf("bnb-nf4?skip=transformer_blocks", false);
    request.prompts.resize(1);
    request.sample.recipe.steps = 1;
    const pipeline::Sensitivity sensitivity(request);
    for (const ScannedGroup& group : sensitivity.scan().groups) {
      QCOMPARE(group.layers.size(), std::size_t{1});
      QVERIFY(group.name.find("transformer_blocks") == std::string::npos);
    }
  }

  void nothingToScanIsTold() {
    QVERIFY_EXCEPTION_THROWN(pipeline::Sensitivity(requestOf("bf16?skip=x_embedder", true)), std::invalid_argument);
    auto request = requestOf("bnb-nf4", true);
    request.prompts.clear();
    QVERIFY_EXCEPTION_THROWN(pipeline::Sensitivity{request}, std::invalid_argument);
  }

  // Whatever the subset: each layer has the precision that the subset says.
  void aMixedPolicyIsExact_data() {
    QTest::addColumn<QString>("reference");
    QTest::addColumn<QString>("low");
    QTest::newRow("default skips") << "bf16" << "fp8-layerwise";
    QTest::newRow("convolutions of their own") << "bf16" << "bnb-nf4?conv:=gguf-q8_0";
    QTest::newRow("convolutions, too") << "bf16" << "quanto-int4?skip=mid";
    QTest::newRow("two low ones") << "bnb-int8" << "quanto-int4?down.1=bnb-nf4";
  }
  void aMixedPolicyIsExact() {
    QFETCH(QString, reference);
    QFETCH(QString, low);
    const quant::Policy high = quant::parsePolicy(reference.toStdString()), few = quant::parsePolicy(low.toStdString());
    std::vector<pipeline::ScannedLayer> layers;
    for (const char* block : {"down.0", "down.1", "down.10", "mid", "up.0"})
      for (const char* layer : {"attn.to_q", "attn.to_out.0", "norm.linear"}) layers.push_back({std::string(block) + "." + layer, LayerKind::Linear});
    for (const char* block : {"down.0", "down.1", "down.10", "up.0"}) layers.push_back({std::string(block) + ".conv1", LayerKind::Convolution});
    std::mt19937 random(3);
    for (int round = 0; round < 60; ++round) {
      std::vector<ScannedGroup> groups;
      std::vector<bool> isLow;
      for (const auto& layer : layers) {
        if (high.precisionOf(layer.name, layer.kind) == few.precisionOf(layer.name, layer.kind)) continue;
        const std::string block = layer.name.substr(0, layer.name.starts_with("mid") ? layer.name.size() : layer.name.find('.', layer.name.find('.') + 1));
        const auto known = std::ranges::find(groups, block, &ScannedGroup::name);
        if (known != groups.end()) { known->layers.push_back(layer); continue; }
        groups.push_back({.name = block, .layers = {layer}});
        isLow.push_back(random() % 4 < static_cast<unsigned>(round % 5));
      }
      const quant::Policy mixed = quant::parsePolicy(pipeline::mixedPolicy(high, few, groups, isLow));
      for (std::size_t i = 0; i < groups.size(); ++i)
        for (const auto& layer : groups[i].layers)
          QCOMPARE(mixed.precisionOf(layer.name, layer.kind), (isLow[i] ? few : high).precisionOf(layer.name, layer.kind));
      for (const auto& layer : layers)
        if (high.precisionOf(layer.name, layer.kind) == few.precisionOf(layer.name, layer.kind))
          QCOMPARE(mixed.precisionOf(layer.name, layer.kind), high.precisionOf(layer.name, layer.kind));
    }
  }
};

QTEST_GUILESS_MAIN(SensitivityTest)
#include "pipeline_sensitivity_test.moc"
