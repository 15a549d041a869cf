// The session on the real engine and the embedded default model: what the fake engine cannot promise.
#include "ui/models/compare_session.h"

#include "study/study_store.h"
#include "tests/real_memory.h"

#include <QJsonArray>
#include <QSet>
#include <QSignalSpy>
#include <QFileInfo>
#include <QTest>

#include <cmath>

using namespace quantspot;
using namespace quantspot::ui;
using study::Task;

namespace {

constexpr int kPatience = 240000;   // the machine may be shared

protocol::Recipe smallRecipe() {
  protocol::Recipe recipe;
  recipe.prompt = "a fox on a yellow background";
  recipe.seed = 7;
  recipe.steps = 4;
  recipe.width = recipe.height = 64;
  return recipe;
}

struct Bench {
  Bench() : engine({QStringLiteral(REAL_ENGINE), {}}), session(&engine, &store), opened(&session, &CompareSession::trialOpened),
            variantFailed(&session, &CompareSession::variantFailed), failed(&session, &CompareSession::failed) {
    if (!store.open(QStringLiteral(":memory:"))) qFatal("not open");
    session.connectEngine();
  }
  bool generate(Task task, const protocol::Recipe& recipe = smallRecipe()) {
    if (!QTest::qWaitFor([this] { return session.precisions()->rowCount() > 0; }, kPatience)) return false;
    session.generate(task, recipe);
    return QTest::qWaitFor([this] { return !session.isBusy(); }, kPatience) && opened.count() == 1;
  }
  const ComparisonResult& reveal() {
    TrialController& trial = *session.trial();
    for (int slot = 0; slot < trial.slotCount(); ++slot) trial.choose(slot, trial.options().value(slot));
    trial.pick(0);
    if (!trial.answer()) qFatal("not answered");
    return *session.comparison();
  }

  study::StudyStore store;
  EngineClient engine;
  CompareSession session;
  QSignalSpy opened, variantFailed, failed;
};

}  // namespace

class RealEngineTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // `ulimit -v`, as batch systems set it: the loader's line or the engine's own reaches the window.
  void aLimitOfAddressSpaceIsTold_data() {
    QTest::addColumn<int>("limit");
    QTest::addColumn<QString>("word");
    QTest::newRow("the libraries cannot be mapped") << 300 << "the engine ended with exit code 127: ";
    QTest::newRow("they cannot be set up") << 600 << "MiB of address space to start, the limit is 600 MiB: raise it (ulimit -v)";
  }
  void aLimitOfAddressSpaceIsTold() {
    SKIP_UNDER_SANITIZER();
    QFETCH(int, limit);
    QFETCH(QString, word);
    EngineClient engine({QStringLiteral("/bin/sh"), {QStringLiteral("-c"), QStringLiteral("ulimit -v %1 && exec \"$0\"").arg(limit * 1024),
                                                     QStringLiteral(REAL_ENGINE)}});
    QSignalSpy lost(&engine, &EngineClient::engineLost);
    engine.start();
    QVERIFY(QTest::qWaitFor([&lost] { return lost.count() == 1; }, kPatience));
    const QString reason = lost.at(0).at(0).toString();
    QVERIFY2(reason.contains(word) && !reason.contains(u'\n'), qPrintable(reason));
  }

  void cleanup() { qunsetenv("QUANTSPOT_TEST_CRASH_AT"); }

  void fourPrecisionsShareOneNoiseAndAreMeasured() {
    Bench bench;
    QVERIFY2(bench.generate(Task::NameEach), qPrintable(bench.failed.value(0).value(0).toString()));
    QTRY_VERIFY_WITH_TIMEOUT(bench.session.statusText().isEmpty(), kPatience);   // measured
    const ComparisonResult& result = bench.reveal();
    QCOMPARE(result.samples.size(), 4u);
    QSet<QString> noises;
    for (const SampleResult& one : result.samples) {
      const study::Scores& scores = one.sample.scores;
      QCOMPARE(one.image.size(), QSize(64, 64));
      QCOMPARE(one.sample.report["precision"].toString(), one.sample.precision);
      QCOMPARE(one.sample.report["seconds"]["steps"].toArray().size(), 4);
      QVERIFY(one.sample.report["peak_bytes"]["denoise"].toDouble() > 0);
      noises << one.sample.report["noise_sha256"].toString();
      QVERIFY2(scores.failures.isEmpty(), qPrintable(scores.failures.join('\n')));
      QVERIFY(scores.clip && !scores.clip_label.isEmpty());
      if (one.sample.precision == QLatin1String(study::kReference)) continue;
      QVERIFY2(scores.psnr && *scores.psnr > 10 && std::isfinite(*scores.psnr), qPrintable(one.sample.precision));
      QVERIFY2(scores.ssim && *scores.ssim <= 1, qPrintable(one.sample.precision));
    }
    QCOMPARE(noises.size(), 1);
    QVERIFY(!noises.contains(QString()));
  }

  // Listed by its folder, asked for by its name: what depends on the family and the files must find it.
  void theEmbeddedModelIsFoundInTheList() {
    Bench bench;
    QTRY_VERIFY_WITH_TIMEOUT(!bench.session.family().isEmpty(), kPatience);
    QCOMPARE(bench.session.family(), QStringLiteral("flux"));
    QVERIFY(QFileInfo::exists(bench.session.modelFolder() + QStringLiteral("/model_index.json")));
    QString why;
    QVERIFY2(bench.session.decision()->pythonText(QStringLiteral("bnb-nf4"), {}, &why).contains(bench.session.modelFolder()), qPrintable(why));
    QVERIFY(bench.session.decision()->pythonText(QStringLiteral("bnb-nf4"), {}, &why).contains("max_sequence_length=40,"));   // its quantspot.json
  }

  void repeatsOfTheReferenceAreEqualToTheBit() {
    Bench bench;
    QVERIFY2(bench.generate(Task::SpotOne), qPrintable(bench.failed.value(0).value(0).toString()));
    const ComparisonResult& result = bench.reveal();
    QCOMPARE(result.samples.size(), 4u);
    QCOMPARE(result.samples[1].image, result.samples[0].image);
    QCOMPARE(result.samples[2].image, result.samples[0].image);
    QVERIFY(result.samples[3].image != result.samples[0].image);
  }

  void anEngineKilledInTheMiddleCostsOneVariant() {
    qputenv("QUANTSPOT_TEST_CRASH_AT", "denoise:2:bnb-int8");
    Bench bench;
    QVERIFY(bench.generate(Task::NameEach));
    QCOMPARE(bench.variantFailed.count(), 1);
    QCOMPARE(bench.variantFailed[0][0].toString(), QStringLiteral("bnb-int8"));
    QVERIFY2(bench.variantFailed[0][1].toString().contains(QStringLiteral("signal 9")), qPrintable(bench.variantFailed[0][1].toString()));
    QCOMPARE(bench.session.trial()->slotCount(), 3);
  }

  void cancelWorksWithinAStepOrTwo() {
    Bench bench;
    QTRY_VERIFY_WITH_TIMEOUT(bench.session.precisions()->rowCount() > 0, kPatience);
    QSignalSpy cancelled(&bench.session, &CompareSession::cancelled), lost(&bench.session, &CompareSession::engineLost);
    protocol::Recipe recipe = smallRecipe();
    recipe.steps = 500;
    bench.session.generate(Task::NameEach, recipe);
    QTRY_VERIFY_WITH_TIMEOUT(bench.session.statusText().contains(QStringLiteral("step")), kPatience);
    bench.session.cancel();
    QTRY_COMPARE_WITH_TIMEOUT(cancelled.count(), 1, kPatience);
    QVERIFY(lost.isEmpty());   // asked, not killed
  }

  void badInputIsOneClearLine() {
    Bench bench;
    protocol::Recipe recipe = smallRecipe();
    recipe.width = 70;
    QVERIFY(!bench.generate(Task::NameEach, recipe));
    QCOMPARE(bench.failed.count(), 1);
    const QString line = bench.failed[0][0].toString();
    QVERIFY2(line.contains(QStringLiteral("16")) && line.contains(QStringLiteral("70")) && !line.contains('\n'), qPrintable(line));
  }
};

QTEST_GUILESS_MAIN(RealEngineTest)
#include "real_engine_test.moc"
