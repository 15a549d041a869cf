#include "tests/ui/fake_engine.h"
#include "ui/models/comparison_runner.h"

#include <QSet>
#include <QSignalSpy>
#include <QTest>

#include <cmath>

using namespace quantspot;
using namespace quantspot::ui;

namespace {

const QStringList kFour = {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"};

ComparisonRequest request(const QStringList& precisions = kFour) {
  ComparisonRequest made{.recipe = foxRecipe(), .variants = {}};
  for (const QString& precision : precisions) made.variants.push_back({precision, 1});
  return made;
}

// An engine, a runner, and everything it said.
struct Bench {
  explicit Bench(QStringList flags = {})
      : engine(fakeEngine(std::move(flags))), runner(&engine), ready(&runner, &ComparisonRunner::imagesReady),
        scored(&runner, &ComparisonRunner::scored), status(&runner, &ComparisonRunner::statusChanged),
        variantFailed(&runner, &ComparisonRunner::variantFailed), failed(&runner, &ComparisonRunner::failed),
        cancelled(&runner, &ComparisonRunner::cancelled) {}

  const study::Sample& sample(const QString& precision) const {
    for (const SampleResult& one : runner.result().samples)
      if (one.sample.precision == precision) return one.sample;
    qFatal("no such precision");
  }

  EngineClient engine;
  ComparisonRunner runner;
  QSignalSpy ready, scored, status, variantFailed, failed, cancelled;
};

}  // namespace

class ComparisonRunnerTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyVariantGetsItsPictureAndFigures() {
    Bench bench;
    bench.runner.start(request());
    QTRY_COMPARE(bench.scored.count(), 1);
    QCOMPARE(bench.ready.count(), 1);
    const auto& samples = bench.runner.result().samples;
    QCOMPARE(samples.size(), 4u);
    for (int i = 0; i < 4; ++i) {
      QCOMPARE(samples[i].sample.precision, kFour[i]);   // in the order of the request
      QCOMPARE(samples[i].sample.report["precision"].toString(), kFour[i]);
      QCOMPARE(samples[i].image.size(), QSize(2, 2));
      QCOMPARE(samples[i].sample.scores.clip, std::optional(0.25));
      QCOMPARE(samples[i].sample.scores.clip_label, QStringLiteral("CLIP-tiny"));
    }
    QVERIFY(!bench.sample("bf16").scores.psnr);
    QCOMPARE(bench.sample("bnb-nf4").scores.psnr, std::optional(31.5));
    QCOMPARE(bench.sample("bnb-nf4").scores.ssim, std::optional(0.25));
    QCOMPARE(bench.sample("bnb-nf4").scores.lpips, std::optional(0.25));
    QVERIFY(!bench.sample("bf16").scores.lpips);
    QCOMPARE(bench.runner.state(), ComparisonRunner::State::Idle);
    QCOMPARE(bench.runner.statusText(), QString());
  }

  void statusSaysHowManyAndNeverWhich() {
    Bench bench({QStringLiteral("--slow=5")});
    bench.runner.start(request());
    QTRY_COMPARE(bench.ready.count(), 1);
    QStringList lines;
    for (const auto& call : bench.status) lines << call[0].toString();
    QVERIFY2(lines.filter(QRegularExpression(QStringLiteral("^2 of 4 · step 3/4 · about \\d+\u2009s left$"))).size() == 1, qPrintable(lines.join('\n')));
    for (const QString& name : kFour + QStringList{"fp8", "int8", "nf4", "quantiz"})
      QVERIFY2(lines.filter(name).isEmpty(), qPrintable(name));
  }

  void orderOfGenerationIsDrawn() {
    QSet<QString> firsts;
    for (int i = 0; i < 12; ++i) {   // all the same with probability 4^-11
      Bench bench({QStringLiteral("--die-after=0")});   // every engine dies at its first request
      bench.runner.start(request());
      QTRY_COMPARE(bench.failed.count(), 1);
      firsts << bench.variantFailed[0][0].toString();
    }
    QVERIFY(firsts.size() > 1);
  }

  void theOthersGoOnWhenTheEngineIsKilled() {
    Bench bench({QStringLiteral("--die-on=bnb-int8")});
    bench.runner.start(request());
    QTRY_COMPARE(bench.scored.count(), 1);
    QCOMPARE(bench.variantFailed.count(), 1);
    QCOMPARE(bench.variantFailed[0][0].toString(), QStringLiteral("bnb-int8"));
    QVERIFY(bench.variantFailed[0][1].toString().contains(QStringLiteral("signal 9")));
    QVERIFY(bench.sample("bnb-int8").png.isEmpty());
    QVERIFY(bench.sample("bnb-int8").failure.contains(QStringLiteral("signal 9")));
    for (const char* name : {"bf16", "fp8-layerwise", "bnb-nf4"}) QVERIFY2(!bench.sample(name).png.isEmpty(), name);
  }

  void anErrorAndABrokenPictureAreNotPictures_data() {
    QTest::addColumn<QString>("flag");
    QTest::addColumn<QString>("reason");
    QTest::newRow("error") << "--error=bnb-nf4" << "3.2 GiB";
    QTest::newRow("one colour") << "--plain=bnb-nf4" << "single colour";
  }
  void anErrorAndABrokenPictureAreNotPictures() {
    QFETCH(QString, flag);
    QFETCH(QString, reason);
    Bench bench({flag});
    bench.runner.start(request());
    QTRY_COMPARE(bench.ready.count(), 1);
    QCOMPARE(bench.variantFailed.count(), 1);
    QVERIFY2(bench.sample("bnb-nf4").failure.contains(reason), qPrintable(bench.sample("bnb-nf4").failure));
    QVERIFY(bench.sample("bnb-nf4").png.isEmpty());
  }

  void twoNoisesAreNotCompared() {
    Bench bench({QStringLiteral("--noise=bnb-nf4")});
    bench.runner.start(request());
    QTRY_COMPARE(bench.failed.count(), 1);
    QVERIFY2(bench.failed[0][0].toString().contains(QStringLiteral("noise")), qPrintable(bench.failed[0][0].toString()));
    QVERIFY(bench.ready.isEmpty());
  }

  void lpipsIsLeftOutWithoutAWordWhereItsWeightsAreNot() {
    Bench bench({QStringLiteral("--error=lpips")});
    bench.runner.start(request());
    QTRY_COMPARE(bench.scored.count(), 1);
    QVERIFY(!bench.sample("bnb-nf4").scores.lpips && bench.sample("bnb-nf4").scores.failures.isEmpty());
    QVERIFY(bench.sample("bnb-nf4").scores.psnr && bench.sample("bnb-nf4").scores.ssim);
  }

  void aMetricThatFailsIsNotedAndNotFatal() {
    Bench bench({QStringLiteral("--error=clip")});
    bench.runner.start(request());
    QTRY_COMPARE(bench.scored.count(), 1);
    QCOMPARE(bench.sample("bnb-nf4").scores.failures, QStringList{"clip: no weights for clip"});
    QVERIFY(!bench.sample("bnb-nf4").scores.clip);
    QVERIFY(bench.sample("bnb-nf4").scores.psnr);
  }

  void repeatsOfTheReferenceMeasureTheNoiseFloor() {
    Bench bench;
    ComparisonRequest spot{.recipe = foxRecipe(), .variants = {{"bf16", 3}, {"bnb-nf4", 1}}};
    bench.runner.start(spot);
    QTRY_COMPARE(bench.scored.count(), 1);
    const auto& samples = bench.runner.result().samples;
    QCOMPARE(samples.size(), 4u);
    QCOMPARE(samples[2].sample.repeat, 2);
    QVERIFY(std::isinf(samples[2].sample.scores.psnr.value()));
    QCOMPARE(samples[2].sample.scores.ssim, std::optional(1.0));
  }

  void cancelLeavesNothingBehind() {
    Bench bench({QStringLiteral("--slow=100")});
    bench.runner.start(request());
    QTRY_VERIFY(bench.runner.fraction() > 0);
    bench.runner.cancel();
    QTRY_COMPARE(bench.cancelled.count(), 1);
    QCOMPARE(bench.runner.state(), ComparisonRunner::State::Idle);
    QVERIFY(bench.ready.isEmpty() && bench.failed.isEmpty() && bench.variantFailed.isEmpty());
    bench.runner.start(request({"bf16", "bnb-nf4"}));
    QTRY_COMPARE(bench.ready.count(), 1);
  }

  void whatCannotRunSaysWhy() {
    Bench bench;
    bench.runner.start(request({"bf16"}));
    QCOMPARE(bench.failed.count(), 1);
    bench.runner.start(request());
    bench.runner.start(request());
    QCOMPARE(bench.failed.count(), 2);
    QTRY_COMPARE(bench.ready.count(), 1);
  }

  void aMissingEngineIsOneClearFailure() {
    EngineClient engine({QStringLiteral("/nowhere/quantspot-engine"), {}});
    ComparisonRunner runner(&engine);
    QSignalSpy failed(&runner, &ComparisonRunner::failed);
    runner.start(request());
    QTRY_COMPARE(failed.count(), 1);
    QVERIFY2(failed[0][0].toString().contains(QStringLiteral("/nowhere/quantspot-engine")), qPrintable(failed[0][0].toString()));
  }
};

QTEST_GUILESS_MAIN(ComparisonRunnerTest)
#include "comparison_runner_test.moc"
