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
        cancelled(&runner, &ComparisonRunner::cancelled), repeated(&runner, &ComparisonRunner::repeated) {}

  const study::Sample& sample(const QString& precision) const {
    for (const SampleResult& one : runner.result().samples)
      if (one.sample.precision == precision) return one.sample;
    qFatal("no such precision");
  }

  EngineClient engine;
  ComparisonRunner runner;
  QSignalSpy ready, scored, status, variantFailed, failed, cancelled, repeated;
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
    QTRY_COMPARE(bench.repeated.count(), 1);
    QCOMPARE(bench.runner.state(), ComparisonRunner::State::Idle);
    QCOMPARE(bench.runner.statusText(), QString());
  }

  // The noise floor: what two drawings of the same thing differ by.
  void theReferenceIsDrawnAgainWhenAllElseIsDone() {
    Bench bench;
    bench.runner.start(request());
    QTRY_COMPARE(bench.repeated.count(), 1);
    QCOMPARE(bench.scored.count(), 1);
    QVERIFY(std::isinf(bench.sample("bf16").scores.repeat_psnr.value()));
    QVERIFY(!bench.sample("bnb-nf4").scores.repeat_psnr && bench.sample("bf16").scores.failures.isEmpty());
  }

  void aReferenceThatDriftsHasItsDistance() {
    Bench bench({QStringLiteral("--drift=bf16")});
    bench.runner.start(request({"bnb-nf4", "bf16"}));
    QTRY_COMPARE(bench.repeated.count(), 1);
    // red and green against black: 4 of 12 values are 255 apart, or 0 where both are black
    const auto psnr = bench.sample("bf16").scores.repeat_psnr;
    QVERIFY(psnr && std::isfinite(*psnr) && *psnr < 10);
  }

  void whyThereIsNoRepeatIsNoted_data() {
    QTest::addColumn<QStringList>("flags");
    QTest::addColumn<QString>("reason");
    QTest::newRow("error") << QStringList{"--once=bf16"} << "3.2 GiB";
    QTest::newRow("killed") << QStringList{"--die-after=2"} << "signal 9";
  }
  void whyThereIsNoRepeatIsNoted() {
    QFETCH(QStringList, flags);
    QFETCH(QString, reason);
    Bench bench(flags);
    bench.runner.start(request({"bf16", "bnb-nf4"}));
    QTRY_COMPARE(bench.repeated.count(), 1);
    const study::Scores scores = bench.sample("bf16").scores;
    QVERIFY(!scores.repeat_psnr);
    QVERIFY2(scores.failures.size() == 1 && scores.failures[0].startsWith("the reference drawn again: ") && scores.failures[0].contains(reason),
             qPrintable(scores.failures.join(u'\n')));
    QVERIFY(bench.sample("bnb-nf4").scores.psnr && bench.variantFailed.isEmpty());
  }

  void nothingIsRepeatedWhereItWouldSayNothing() {
    Bench bench;
    ComparisonRequest spot{.recipe = foxRecipe(), .variants = {{"bf16", 2}, {"bnb-nf4", 1}}};     // lies there twice
    ComparisonRequest unwanted = request();
    unwanted.options.repeat = false;
    for (const ComparisonRequest& one : {spot, unwanted, request({"bnb-int8", "bnb-nf4"})}) {
      bench.runner.start(one);
      QTRY_COMPARE(bench.scored.count(), 1);
      QCOMPARE(bench.runner.state(), ComparisonRunner::State::Idle);
      QVERIFY(bench.repeated.isEmpty());
      bench.scored.clear();
    }
  }

  void theNextComparisonDoesNotWaitForTheRepeat() {
    Bench bench({QStringLiteral("--slow=30")});
    bench.runner.start(request({"bf16", "bnb-nf4"}));
    QTRY_COMPARE(bench.runner.state(), ComparisonRunner::State::Repeating);
    QCOMPARE(bench.runner.statusText(), QStringLiteral("drawing the reference once more"));
    bench.runner.start(request({"bf16", "bnb-int8"}));
    QCOMPARE(bench.runner.state(), ComparisonRunner::State::Generating);
    QTRY_COMPARE(bench.repeated.count(), 1);                     // of the second alone
    QVERIFY(bench.sample("bf16").scores.repeat_psnr && bench.failed.isEmpty());
    QCOMPARE(bench.ready.count(), 2);
    bench.runner.start(request({"bf16", "bnb-nf4"}));
    QTRY_COMPARE(bench.runner.state(), ComparisonRunner::State::Repeating);
    bench.runner.cancel();
    QCOMPARE(bench.runner.state(), ComparisonRunner::State::Idle);
    QTest::qWait(200);
    QVERIFY(bench.repeated.count() == 1 && bench.cancelled.isEmpty() && !bench.sample("bf16").scores.repeat_psnr);
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
