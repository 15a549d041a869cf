// The whole page without its widgets: generate, answer, reveal, restart, history.
#include "tests/ui/fake_engine.h"
#include "tests/ui/loop_gap.h"
#include "ui/models/compare_session.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace quantspot;
using namespace quantspot::ui;
using study::Task;

namespace {

struct Bench {
  explicit Bench(QStringList flags = {}, const QString& path = QStringLiteral(":memory:")) : engine(fakeEngine(std::move(flags))),
      session(&engine, &store) {
    QObject::connect(&session, &CompareSession::failed, [this](const QString& message) { failures << message; });
    if (!store.open(path)) qFatal("not open");
  }
  void waitForPrecisions() {
    session.connectEngine();
    QTRY_COMPARE(session.precisions()->rowCount(), 4);
  }
  void answer() {
    for (int slot = 0; slot < session.trial()->slotCount(); ++slot) session.trial()->choose(slot, session.trial()->options().value(slot));
    if (session.trial()->task() == Task::SpotOne) session.trial()->pick(0);
    QVERIFY(session.trial()->answer());
  }

  study::StudyStore store;
  EngineClient engine;
  CompareSession session;
  QStringList failures;
};

}  // namespace

class CompareSessionTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

 private Q_SLOTS:
  // Ratings reach the running score, the evidence of the Decide page, and the table of answers.
  void ratingsAreKeptAndTold() {
    QTemporaryDir folder;
    Bench bench;
    bench.waitForPrecisions();
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened);
    bench.session.generate(Task::Rate, foxRecipe());
    QTRY_COMPARE(opened.count(), 1);
    QVERIFY(bench.session.trial()->options().isEmpty());
    QVERIFY(bench.session.decision()->evidence()->sources().empty());       // blind
    for (int slot = 0; slot < bench.session.trial()->slotCount(); ++slot) bench.session.trial()->rate(slot, 3);
    QVERIFY(bench.session.trial()->answer());
    QCOMPARE(bench.session.score()->ratings(bench.session.model()).size(), std::size_t(bench.session.trial()->slotCount()));
    const auto& sources = bench.session.decision()->evidence()->sources();
    const auto ratings = std::ranges::find(sources, QStringLiteral("ratings"), &DecisionEvidence::Source::key);
    QVERIFY(ratings != sources.end());
    QCOMPARE(ratings->found.evidence.of("bnb-nf4").rating->value, 3.0);
    QCOMPARE(ratings->found.evidence.of("bnb-nf4").ratingChange->value, 0.0);
    QVERIFY(ratings->found.evidence.of("bnb-nf4").rating->from.starts_with("your ratings"));
    QVERIFY(bench.session.exportAnswers(folder.filePath("answers.csv")));
    QFile file(folder.filePath("answers.csv"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll().count(",rate,"), bench.session.trial()->slotCount());
    QVERIFY(!bench.session.exportAnswers("/nowhere/answers.csv"));
    QVERIFY2(bench.failures.last().contains("/nowhere/answers.csv"), qPrintable(bench.failures.last()));
    QVERIFY(bench.session.store()->removeComparison(bench.session.comparison()->id));
    QVERIFY(std::ranges::find(bench.session.decision()->evidence()->sources(), QStringLiteral("ratings"), &DecisionEvidence::Source::key) ==
            bench.session.decision()->evidence()->sources().end());
  }

  void sizesOfEveryPrecisionArrive() {
    Bench bench;
    bench.waitForPrecisions();
    QTRY_COMPARE(bench.session.precisions()->index(3).data(PrecisionListModel::BytesTextRole).toString(), QStringLiteral("6.9\u2009MB"));
    QCOMPARE(bench.session.models().size(), 3u);
  }

  void fromGenerateToRevealAndBackFromTheHistory() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("study.sqlite"));
    std::vector<QImage> pictures;
    {
      Bench bench({}, path);
      bench.waitForPrecisions();
      QSignalSpy opened(&bench.session, &CompareSession::trialOpened), revealed(&bench.session, &CompareSession::revealed);
      bench.session.generate(Task::NameEach, foxRecipe());
      QTRY_COMPARE(opened.count(), 1);
      QVERIFY(!bench.session.comparison());                       // blind
      bench.session.history()->setSearch(QStringLiteral("fox"));
      QCOMPARE(bench.session.history()->rowCount(), 0);           // its row would tell
      QTRY_VERIFY(bench.session.statusText().isEmpty());          // measured meanwhile, and the reference drawn again
      bench.answer();
      QCOMPARE(revealed.count(), 1);
      QVERIFY(bench.session.comparison());
      QCOMPARE(bench.session.history()->rowCount(), 1);
      QCOMPARE(bench.session.trial()->samples().at(0).sample.scores.clip, std::optional(0.25));
      QCOMPARE(bench.session.pastTrials().size(), 1u);
      for (const SampleResult& one : bench.session.comparison()->samples) pictures.push_back(one.image);
    }
    Bench bench({}, path);
    QCOMPARE(bench.session.history()->rowCount(), 1);
    QVERIFY(!bench.session.score()->text(Task::NameEach).isEmpty());
    QVERIFY(bench.session.openPast(bench.session.history()->comparisonAt(0)));
    const ComparisonResult* past = bench.session.comparison();
    QVERIFY(past);
    QCOMPARE(past->recipe, foxRecipe());
    QCOMPARE(past->samples.size(), pictures.size());
    for (std::size_t i = 0; i < pictures.size(); ++i) QCOMPARE(past->samples[i].image, pictures[i]);
    QCOMPARE(past->samples[1].sample.scores.psnr, std::optional(31.5));
    QVERIFY(past->samples[0].sample.scores.repeat_psnr.has_value());
    QCOMPARE(bench.session.pastTrials().size(), 1u);
    QVERIFY(bench.failures.isEmpty());
  }

  void scoresThatArriveAfterTheAnswerAreShownAndKept() {
    Bench bench;
    bench.waitForPrecisions();
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened), scores(&bench.session, &CompareSession::scoresChanged);
    connect(&bench.session, &CompareSession::trialOpened, this, [&] { bench.answer(); });
    bench.session.generate(Task::NameEach, foxRecipe());
    QTRY_VERIFY(scores.count() >= 1);
    const auto* comparison = bench.session.comparison();
    QVERIFY(comparison);
    QCOMPARE(bench.store.comparison(comparison->id)->samples[1].scores.psnr, std::optional(31.5));
    QVERIFY(!bench.session.trial()->slotModel()->index(0).data(SlotListModel::ClipRole).isNull());
    QTRY_COMPARE(scores.count(), 2);                              // the noise floor comes last
    QVERIFY(std::isinf(bench.store.comparison(comparison->id)->samples[0].scores.repeat_psnr.value()));
  }

  void spotDrawsOneQuantizedPrecision() {
    Bench bench;
    bench.waitForPrecisions();
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened);
    bench.session.generate(Task::SpotOne, foxRecipe(), 3);
    QTRY_COMPARE(opened.count(), 1);
    QCOMPARE(bench.session.trial()->slotCount(), 3);
    bench.answer();
    QCOMPARE(bench.session.comparison()->samples.size(), 3u);
    QCOMPARE(bench.session.score()->hitRate(Task::SpotOne).tiles, 1);
  }

  void askingAgainAfterTheRevealIsNotCounted() {
    Bench bench;
    bench.waitForPrecisions();
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened);
    bench.session.generate(Task::NameEach, foxRecipe());
    QTRY_COMPARE(opened.count(), 1);
    bench.answer();
    QVERIFY(bench.session.askAgain(Task::NameEach));
    QVERIFY(!bench.session.comparison());   // blind again
    bench.answer();
    QCOMPARE(bench.session.pastTrials().size(), 2u);
    QCOMPARE(bench.session.score()->hitRate(Task::NameEach).trials, 1);
  }

  // By the content of the pictures alone: the same recipe drawn again shows pictures whose names the history tells.
  void aRecipeDrawnAgainIsSeenBefore() {
    Bench bench;
    bench.waitForPrecisions();
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened);
    const auto draw = [&] {
      const auto before = opened.count();
      bench.session.generate(Task::NameEach, foxRecipe());
      QTRY_COMPARE(opened.count(), before + 1);
      bench.answer();
    };
    draw();
    QCOMPARE(bench.session.trial()->answered().uncounted, QString());
    QVERIFY(bench.session.trial()->whyUncounted().isEmpty());
    draw();
    QCOMPARE(bench.session.trial()->answered().uncounted, QString::fromLatin1(study::kSeenBefore));
    QVERIFY2(bench.session.trial()->whyUncounted().contains("not counted"), qPrintable(bench.session.trial()->whyUncounted()));
    QCOMPARE(bench.session.score()->hitRate(Task::NameEach).trials, 1);   // kept, and left out
    QCOMPARE(bench.session.pastTrials().size(), 1u);
    QVERIFY(bench.session.history()->index(0, 0).data(HistoryModel::AnswerRole).toString().contains("1 of 1 not counted"));
    const int tiles = bench.session.trial()->slotCount();
    QVERIFY(bench.session.exportAnswers(folder_.filePath("answers.csv")));
    QFile table(folder_.filePath("answers.csv"));
    QVERIFY(table.open(QIODevice::ReadOnly));
    QCOMPARE(table.readAll().count("seen-before"), tiles);             // a row per tile
    for (const study::ComparisonHead& head : bench.store.comparisons()) QVERIFY(bench.store.removeComparison(head.id));
    draw();
    QCOMPARE(bench.session.trial()->answered().uncounted, QString());  // nothing tells their names any more
  }

  void aKilledEngineCostsOneVariant() {
    Bench bench({QStringLiteral("--die-on=bnb-int8")});
    bench.waitForPrecisions();
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened), lost(&bench.session, &CompareSession::engineLost),
        variant(&bench.session, &CompareSession::variantFailed);
    bench.session.generate(Task::NameEach, foxRecipe());
    QTRY_COMPARE(opened.count(), 1);
    QCOMPARE(lost.count(), 1);
    QCOMPARE(variant[0][0].toString(), QStringLiteral("bnb-int8"));
    QCOMPARE(bench.session.trial()->slotCount(), 3);
    bench.answer();
    QCOMPARE(bench.session.history()->index(0, 0).data(HistoryModel::FailedRole).toStringList(), QStringList{"bnb-int8"});
  }

  void onePictureIsShownWithItsName() {
    Bench bench({QStringLiteral("--error=bnb-nf4")});
    bench.waitForPrecisions();
    for (const char* id : {"fp8-layerwise", "bnb-int8"}) bench.session.precisions()->setChecked(QString::fromLatin1(id), false);
    QSignalSpy past(&bench.session, &CompareSession::pastOpened);
    bench.session.generate(Task::NameEach, foxRecipe());
    QTRY_COMPARE(past.count(), 1);
    QVERIFY(bench.session.comparison());
    QCOMPARE(bench.failures.size(), 1);
  }

  void nothingToDoSaysSo() {
    Bench bench;
    bench.waitForPrecisions();
    for (const QString& id : bench.session.precisions()->ids()) bench.session.precisions()->setChecked(id, id == QLatin1String("bf16"));
    bench.session.generate(Task::NameEach, foxRecipe());
    bench.session.generate(Task::SpotOne, foxRecipe());
    QCOMPARE(bench.failures.size(), 2);
    QVERIFY(!bench.session.askAgain(Task::NameEach));
    QVERIFY(!bench.session.isBusy());
  }

  void theEventLoopIsNeverHeldUp() {
    Bench bench({QStringLiteral("--slow=10")});
    bench.waitForPrecisions();
    LoopGap gap;
    QSignalSpy opened(&bench.session, &CompareSession::trialOpened);
    bench.session.generate(Task::NameEach, foxRecipe());
    QTRY_COMPARE(opened.count(), 1);
    QTRY_VERIFY(bench.session.statusText().isEmpty());
    const qint64 longest = gap.stop();
    QVERIFY2(longest < 200, qPrintable(QString::number(longest)));   // 50 ms, and room for a machine that is shared
  }
};

QTEST_GUILESS_MAIN(CompareSessionTest)
#include "compare_session_test.moc"
