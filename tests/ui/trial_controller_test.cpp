#include "study/study_store.h"
#include "ui/models/trial_controller.h"

#include <QAbstractItemModelTester>
#include <QBuffer>
#include <QSignalSpy>
#include <QTest>

#include <set>

using namespace quantspot;
using namespace quantspot::ui;
using study::Task;

namespace {

const QStringList kFour = {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"};

SampleResult picture(const QString& precision, QRgb colour) {
  SampleResult made;
  made.image = QImage(2, 2, QImage::Format_RGB32);
  made.image.fill(colour);
  QBuffer buffer(&made.sample.png);
  made.image.save(&buffer, "PNG");
  made.sample.precision = precision;
  made.sample.report = {{"precision", precision}};
  made.sample.scores.psnr = 31.5;
  return made;
}

// A stored comparison; colour i belongs to precision i.
ComparisonResult stored(study::StudyStore& store, const QStringList& precisions) {
  ComparisonResult result;
  for (const QString& precision : precisions) result.samples.push_back(picture(precision, qRgb(10 * static_cast<int>(result.samples.size()), 99, 7)));
  study::Comparison kept = toStored(result);
  if (!store.addComparison(kept)) qFatal("not stored");
  result.id = kept.id;
  for (std::size_t i = 0; i < kept.samples.size(); ++i) result.samples[i].sample.id = kept.samples[i].id;
  return result;
}

// What a participant with perfect eyes would answer.
QString truth(TrialController& trial, const ComparisonResult& comparison, int slot) {
  const QImage seen = trial.slotModel()->index(slot).data(SlotListModel::ImageRole).value<QImage>();
  for (const SampleResult& one : comparison.samples)
    if (one.image == seen) return one.sample.precision;
  return {};
}

}  // namespace

class TrialControllerTest : public QObject {
  Q_OBJECT
  study::StudyStore store_;

 private Q_SLOTS:
  void init() { QVERIFY(store_.open(QStringLiteral(":memory:"))); }

  void namesStayHiddenUntilTheAnswerIsStored() {
    const ComparisonResult comparison = stored(store_, kFour);
    TrialController trial(&store_);
    QAbstractItemModelTester tester(trial.slotModel(), QAbstractItemModelTester::FailureReportingMode::QtTest);
    QVERIFY(trial.start(Task::NameEach, comparison));
    study::Scores late;
    late.psnr = 20;
    trial.setScores(comparison.samples[1].sample.id, late);
    const QSet<int> open = {Qt::DisplayRole, SlotListModel::LetterRole, SlotListModel::ImageRole, SlotListModel::ChoiceRole};
    for (int slot = 0; slot < 4; ++slot)
      for (int role = 0; role < Qt::UserRole + 50; ++role)
        QVERIFY2(trial.slotModel()->index(slot).data(role).isNull() || open.contains(role), qPrintable(QString::number(role)));
    QVERIFY(trial.samples().empty() && trial.referenceImage().isNull() && trial.verdict().isEmpty());
    QVERIFY(trial.answered().slot_samples.empty());
    QVERIFY(store_.trials(comparison.id).empty());

    bool stored_first = false;
    connect(trial.slotModel(), &QAbstractItemModel::dataChanged, this, [&](const QModelIndex& cell) {
      if (!cell.data(SlotListModel::NameRole).isNull()) stored_first = store_.trials(comparison.id).size() == 1;
    });
    for (int slot = 0; slot < 4; ++slot) trial.choose(slot, truth(trial, comparison, slot));
    QVERIFY(trial.answer());
    QVERIFY(stored_first);
    for (int slot = 0; slot < 4; ++slot) {
      const QModelIndex tile = trial.slotModel()->index(slot);
      QCOMPARE(tile.data(SlotListModel::NameRole).toString(), truth(trial, comparison, slot));
      QVERIFY(tile.data(SlotListModel::CorrectRole).toBool());
      QCOMPARE(tile.data(SlotListModel::ReportRole).toJsonObject()["precision"].toString(), truth(trial, comparison, slot));
    }
    QCOMPARE(trial.referenceImage(), comparison.samples[0].image);
    QCOMPARE(store_.tallies().at(0).hits, 4);
    QVERIFY2(trial.verdict().startsWith(QStringLiteral("4 of 4 right")), qPrintable(trial.verdict()));
  }

  void everyOrderIsAsLikely() {
    const ComparisonResult comparison = stored(store_, kFour);
    TrialController trial(&store_);
    int counts[4][4] = {};
    constexpr int kTrials = 2000;
    for (int i = 0; i < kTrials; ++i) {
      QVERIFY(trial.start(Task::NameEach, comparison));
      for (int slot = 0; slot < 4; ++slot) ++counts[slot][kFour.indexOf(truth(trial, comparison, slot))];
    }
    // Chi-square of a 4 × 4 table with 9 degrees of freedom: over 39.3 with probability 10^-5.
    double chi = 0;
    for (const auto& row : counts)
      for (int count : row) chi += (count - kTrials / 4.0) * (count - kTrials / 4.0) / (kTrials / 4.0);
    QVERIFY2(chi < 39.3, qPrintable(QString::number(chi)));
  }

  void aPrecisionIsOnOneTileAndUndoGoesBack() {
    const ComparisonResult comparison = stored(store_, kFour);
    TrialController trial(&store_);
    QVERIFY(trial.start(Task::NameEach, comparison));
    QCOMPARE(trial.options(), kFour);   // in the order of the request, whatever that of the slots
    trial.choose(0, QStringLiteral("bf16"));
    trial.choose(1, QStringLiteral("bf16"));
    QCOMPARE(trial.choice(0), QString());
    QCOMPARE(trial.choice(1), QStringLiteral("bf16"));
    trial.choose(2, QStringLiteral("gguf-q4_0"));   // not in this trial
    trial.choose(9, QStringLiteral("bnb-nf4"));
    QCOMPARE(trial.choice(2), QString());
    QVERIFY(!trial.canAnswer() && !trial.answer());
    trial.undo();
    QCOMPARE(trial.choice(0), QStringLiteral("bf16"));
    trial.undo();
    QCOMPARE(trial.choice(0), QString());
    QVERIFY(!trial.canUndo());
    for (int slot = 0; slot < 4; ++slot) trial.choose(slot, kFour[slot]);
    QVERIFY(trial.answer());
    QVERIFY(!trial.canUndo());
    const study::AnsweredTrial before = trial.answered();
    trial.choose(0, kFour[1]);
    QVERIFY(!trial.answer());
    QCOMPARE(store_.trials(comparison.id).at(0).choices, before.choices);
  }

  void spotHasOneQuantizedTileAmongRepeats() {
    const ComparisonResult comparison = stored(store_, {"bf16", "bf16", "bf16", "bnb-nf4", "bnb-int8"});
    TrialController trial(&store_);
    std::set<int> places;
    for (int i = 0; i < 60; ++i) {
      QVERIFY(trial.start(Task::SpotOne, comparison));
      QCOMPARE(trial.slotCount(), 4);
      QVERIFY(trial.options().isEmpty());
      int quantized = 0;
      for (int slot = 0; slot < 4; ++slot)
        if (truth(trial, comparison, slot) != QLatin1String("bf16")) ++quantized, places.insert(slot);
      QCOMPARE(quantized, 1);
    }
    QCOMPARE(places.size(), 4u);   // one is missed with probability 4 · 0.75^60 = 10^-7
    trial.pick(0);
    trial.pick(3);
    trial.undo();
    QCOMPARE(trial.picked(), 0);
    trial.setConfidence(9);
    const bool right = truth(trial, comparison, 0) != QLatin1String("bf16");
    QVERIFY(trial.answer());
    const auto kept = store_.trials(comparison.id).at(0);
    QCOMPARE(kept.hits, right ? 1 : 0);
    QCOMPARE(kept.tiles, 1);
    QCOMPARE(kept.chance, 0.25);
    QCOMPARE(kept.confidence, 5);
    QCOMPARE(kept.choices, (QStringList{study::kPicked, "", "", ""}));
  }

  void everyTileGetsAGradeAndNoneIsRightOrWrong() {
    const ComparisonResult comparison = stored(store_, {"bf16", "bf16", "bnb-nf4", "bnb-int8"});
    TrialController trial(&store_);
    QVERIFY(trial.start(Task::Rate, comparison));
    QCOMPARE(trial.slotCount(), 3);                   // a picture of each precision
    QVERIFY(trial.options().isEmpty());
    trial.rate(0, 4), trial.rate(1, 6), trial.rate(1, -1), trial.rate(7, 3), trial.choose(1, QStringLiteral("bf16")), trial.pick(1);
    QCOMPARE(trial.grade(0), 4);
    QCOMPARE(trial.grade(1), 0);
    QVERIFY(!trial.canAnswer() && !trial.answer());
    trial.rate(0, 5);
    trial.undo();
    QCOMPARE(trial.grade(0), 4);
    trial.rate(0, 0);
    QCOMPARE(trial.grade(0), 0);
    for (int slot = 0; slot < 3; ++slot) trial.rate(slot, truth(trial, comparison, slot) == "bf16" ? 5 : 2);
    trial.setConfidence(3);
    for (int slot = 0; slot < 3; ++slot) QVERIFY(trial.slotModel()->index(slot).data(SlotListModel::NameRole).isNull());
    QVERIFY(trial.answer());
    QVERIFY2(trial.verdict().startsWith(QStringLiteral("3 pictures rated")), qPrintable(trial.verdict()));
    for (int slot = 0; slot < 3; ++slot) QVERIFY(!trial.slotModel()->index(slot).data(SlotListModel::CorrectRole).toBool());
    const auto kept = store_.trials(comparison.id).at(0);
    QCOMPARE(kept.task, Task::Rate);
    QCOMPARE(kept.hits + kept.tiles, 0);
    QCOMPARE(kept.chance, 0.0);
    QCOMPARE(kept.confidence, 3);
    for (int slot = 0; slot < 3; ++slot)
      QCOMPARE(kept.choices[slot], trial.samples()[slot].sample.precision == "bf16" ? QStringLiteral("5") : QStringLiteral("2"));
    QVERIFY(store_.confusion().empty());              // grades are no names
  }

  void responseTimeCountsFromThePicturesOnScreen() {
    const ComparisonResult comparison = stored(store_, kFour);
    TrialController trial(&store_);
    QVERIFY(trial.start(Task::NameEach, comparison));
    QTest::qSleep(300);
    trial.imagesShown();
    QTest::qSleep(60);
    trial.imagesShown();   // shown again: the first time counts
    for (int slot = 0; slot < 4; ++slot) trial.choose(slot, kFour[slot]);
    QVERIFY(trial.answer());
    QVERIFY2(trial.answered().response_ms >= 60 && trial.answered().response_ms < 300, qPrintable(QString::number(trial.answered().response_ms)));
  }

  void nothingIsRevealedWhenTheStoreFails() {
    const ComparisonResult comparison = stored(store_, kFour);
    TrialController trial(&store_);
    QSignalSpy failed(&trial, &TrialController::failed), revealed(&trial, &TrialController::revealed);
    QVERIFY(trial.start(Task::NameEach, comparison));
    for (int slot = 0; slot < 4; ++slot) trial.choose(slot, kFour[slot]);
    QVERIFY(store_.removeComparison(comparison.id));
    QVERIFY(!trial.answer());
    QCOMPARE(failed.count(), 1);
    QVERIFY(revealed.isEmpty() && trial.state() == TrialController::State::Open);
    QVERIFY(trial.slotModel()->index(0).data(SlotListModel::NameRole).isNull());
  }

  void variantsWithoutAPictureAreLeftOut() {
    ComparisonResult comparison = stored(store_, kFour);
    comparison.samples[2].image = {};
    TrialController trial(&store_);
    QSignalSpy failed(&trial, &TrialController::failed);
    QVERIFY(trial.start(Task::NameEach, comparison));
    QCOMPARE(trial.slotCount(), 3);
    QVERIFY(!trial.options().contains(kFour[2]));
    comparison.samples[0].image = {};
    QVERIFY(!trial.start(Task::SpotOne, comparison));   // no reference
    QCOMPARE(failed.count(), 1);
    QCOMPARE(trial.state(), TrialController::State::Idle);
    QCOMPARE(trial.slotCount(), 0);
  }
};

QTEST_GUILESS_MAIN(TrialControllerTest)
#include "trial_controller_test.moc"
