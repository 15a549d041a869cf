// What else is told of a sample: operations of the denoiser, latents after every call, memory over time.
#include "engine/pipeline/flops.h"
#include "engine/pipeline/memory.h"
#include "tests/engine/pipeline_case.h"

#include <QTest>

using namespace quantspot;
using namespace quantspot::pipeline;
using quantspot::test::Case;

namespace {

// A golden case in either form.
SampleRequest requestOf(const QString& name, const char* precision) {
  Case one(name);
  if (!one.recipe.contains("seeds")) one.recipe["seeds"] = std::vector<std::uint64_t>(one.pictures(), one.recipe["seed"].get<std::uint64_t>());
  return one.request(precision);
}

}  // namespace

class ObserveTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // tests/parity/flop_cases.py: torch.utils.flop_counter over the denoiser of diffusers' pipeline.
  void operationsAreTorchs_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("precision");
    for (const char* name : {"dit_a", "dit_b", "flux_a", "flux_b", "pixart_a", "sd_a", "sd3_a", "sdxl_a"}) QTest::newRow(name) << name << "fp32";
    QTest::newRow("int8-dynamic") << "dit_a" << "int8-dynamic";
    QTest::newRow("bnb-nf4") << "flux_a" << "bnb-nf4";
    QTest::newRow("packed convolutions") << "sd_a" << "quanto-int8";
  }
  void operationsAreTorchs() {
    QFETCH(QString, name);
    QFETCH(QString, precision);
    const auto golden = nlohmann::json::parse(std::ifstream(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/flops/cases.json"));
    const auto& wanted = golden[name.toStdString()];
    SampleRequest request = requestOf(name, precision.toUtf8());
    request.observe.flops = true;
    const auto samples = Sampler().generateBatch(request);
    const auto& flops = samples[0].report["flops"];
    QCOMPARE(flops["calls"].get<int>(), wanted["calls"].get<int>());
    QCOMPARE(flops["attention"].get<std::int64_t>(), wanted["attention"].get<std::int64_t>());
    QVERIFY2(flops["total"] == wanted["total"], (flops.dump() + " against " + wanted.dump()).c_str());
  }

  void operationsByHand() {
    const auto counter = std::make_shared<FlopCounter>();
    const auto layer = counter->around(quant::quantizer("fp32").linear(quant::quantizer("fp32").pack(at::ones({5, 7})), std::nullopt));
    layer->forward(at::ones({3, 7}));    // outside: not counted
    {
      const FlopCounter::Scope scope(counter.get());
      layer->forward(at::ones({2, 3, 7}));
      at::conv2d(at::ones({2, 4, 9, 8}), at::ones({6, 2, 3, 3}), {}, {2, 1}, {1, 1}, {1, 2}, 2);
      at::scaled_dot_product_attention(at::ones({2, 3, 5, 8}), at::ones({2, 3, 6, 8}), at::ones({2, 3, 6, 4}));
    }
    at::conv2d(at::ones({1, 1, 3, 3}), at::ones({1, 1, 3, 3}));
    const auto counts = counter->counts();
    QCOMPARE(counts["linear"].get<int>(), 2 * 6 * 7 * 5);
    QCOMPARE(counts["convolution"].get<int>(), 2 * (2 * 6 * 5 * 6) * (2 * 3 * 3));     // 5 × 6 places
    QCOMPARE(counts["attention"].get<int>(), 2 * (2 * 3 * 5 * 6) * (8 + 4));
  }

  void latentsOfEveryCall_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "sd_a"}) QTest::newRow(name) << name;
  }
  void latentsOfEveryCall() {
    QFETCH(QString, name);
    SampleRequest request = requestOf(name, "fp32");
    QVERIFY(Sampler().generateBatch(request)[0].trajectory.empty());
    request.observe.latents = true;
    const auto samples = Sampler().generateBatch(request);
    for (const Sample& sample : samples) {
      QCOMPARE(sample.trajectory.size(), sample.report["seconds"]["steps"].size());
      QVERIFY(at::equal(sample.trajectory.back(), sample.latents));
      QVERIFY(!at::equal(sample.trajectory.front(), sample.latents));
    }
    if (samples.size() > 1) QVERIFY(!at::equal(samples[0].trajectory[0], samples[1].trajectory[0]));
  }

  void memoryOverTime() {
    SampleRequest request = requestOf("flux_a", "fp32");
    request.observe.memory = true;
    const auto report = Sampler().generateBatch(request)[0].report;
    const auto points = report["memory_over_time"].get<std::vector<std::pair<double, std::int64_t>>>();
    QVERIFY(points.size() >= 2 && points.size() <= 256);
    for (std::size_t i = 1; i < points.size(); ++i) QVERIFY(points[i].first >= points[i - 1].first && points[i].second > 0);
    QVERIFY(points.back().first <= report["seconds"]["total"].get<double>() + 0.05);
  }

  void aLongRunHasAsManyPoints() {
    const MemoryOverTime memory;
    const std::vector<char> held(64 << 20, 1);
    QTest::qWait(3500);
    const auto points = memory.points();
    QVERIFY2(points.size() > 60 && points.size() <= 256, qPrintable(QString::number(points.size())));
    QVERIFY(points[0].first == 0.0 && points.back().first >= 3.4);
    QVERIFY(points.back().second > points[0].second + (60 << 20));
    QCOMPARE(held[1 << 20], '\1');
  }
};

QTEST_GUILESS_MAIN(ObserveTest)
#include "pipeline_observe_test.moc"
