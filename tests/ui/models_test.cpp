#include "study/study_store.h"
#include "ui/models/comparison.h"
#include "ui/models/history_model.h"
#include "ui/models/precision_list_model.h"
#include "ui/models/score_summary.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;

namespace {

const std::vector<protocol::PrecisionInfo> kPrecisions = {
    {"fp32", "FP32", "fp32", 32}, {"bf16", "BF16", "bf16", 16}, {"bnb-nf4", "NF4", "4-bit", 4.5}};

study::Comparison kept(study::StudyStore& store, const QString& prompt) {
  study::Comparison comparison;
  comparison.model = QStringLiteral("default");
  comparison.recipe = {{"prompt", prompt}, {"seed", 7}};
  comparison.samples.push_back({.id = 0, .precision = "bf16", .repeat = 0, .png = QByteArray::fromBase64(
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAADklEQVR42mP4zwADQBYAD/4B/+zytFMAAAAASUVORK5CYII="), .report = {}, .scores = {},
          .failure = {}});
  if (!store.addComparison(comparison)) qFatal("not stored");
  return comparison;
}

}  // namespace

class ModelsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void precisionsAreTickedAsInTheDesign() {
    PrecisionListModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QSignalSpy checked(&model, &PrecisionListModel::checkedChanged);
    model.setPrecisions(kPrecisions);
    QCOMPARE(model.checkedIds(), (QStringList{"bf16", "bnb-nf4"}));
    QVERIFY(model.setData(model.index(0), Qt::Checked, Qt::CheckStateRole));
    model.setChecked(QStringLiteral("bf16"), false);
    QCOMPARE(model.checkedIds(), (QStringList{"fp32", "bnb-nf4"}));
    QCOMPARE(checked.count(), 3);
    model.setPrecisions(kPrecisions);   // the engine came back: ticks stay
    QCOMPARE(model.checkedIds(), (QStringList{"fp32", "bnb-nf4"}));
    QCOMPARE(model.label(QStringLiteral("bnb-nf4")), QStringLiteral("NF4"));
    QCOMPARE(model.family(QStringLiteral("bnb-nf4?skip=proj_out")), QStringLiteral("4-bit"));
  }

  void bytesComeLaterAndGoWithTheModel() {
    PrecisionListModel model;
    model.setPrecisions(kPrecisions);
    QVERIFY(model.index(1).data(PrecisionListModel::BytesRole).isNull());
    model.setBytes(QStringLiteral("bf16"), 6'900'000);
    QCOMPARE(model.index(1).data(PrecisionListModel::BytesTextRole).toString(), QStringLiteral("6.9\u2009MB"));
    model.clearBytes();
    QCOMPARE(model.index(1).data(PrecisionListModel::BytesTextRole).toString(), QString());
  }

  void policiesCanBeAddedAndRemoved() {
    PrecisionListModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setPrecisions(kPrecisions);
    const QString policy = QStringLiteral("bnb-nf4?skip=proj_out");
    QVERIFY(model.addPolicy(QStringLiteral(" ") + policy));
    QVERIFY(!model.addPolicy(policy) && !model.addPolicy(QStringLiteral("  ")));
    QCOMPARE(model.checkedIds().constLast(), policy);
    QCOMPARE(model.index(3).data(PrecisionListModel::FamilyRole).toString(), QStringLiteral("4-bit"));
    model.setPrecisions(kPrecisions);
    QCOMPARE(model.rowCount(), 4);
    model.removePolicy(0);   // not a policy
    model.removePolicy(3);
    QCOMPARE(model.rowCount(), 3);
  }

  void sizesReadAsOnFilesAndInMemory() {
    QCOMPARE(fileSizeText(13'000'000), QStringLiteral("13\u2009MB"));
    QCOMPARE(fileSizeText(3'940'000), QStringLiteral("3.9\u2009MB"));
    QCOMPARE(fileSizeText(23'800'000'000), QStringLiteral("24\u2009GB"));
    QCOMPARE(memoryText(qint64(429'496'730)), QStringLiteral("0.4\u2009GiB"));
    QCOMPARE(memoryText(52'428'800), QStringLiteral("50\u2009MiB"));
  }

  void historyFollowsTheStore() {
    study::StudyStore store;
    QVERIFY(store.open(QStringLiteral(":memory:")));
    HistoryModel model(&store);
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    const auto fox = kept(store, QStringLiteral("a fox"));
    const auto owl = kept(store, QStringLiteral("an owl"));
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(model.comparisonAt(0), owl.id);
    QCOMPARE(model.index(0, HistoryModel::Prompt).data().toString(), QStringLiteral("an owl"));
    QVERIFY(model.index(0, 0).data(HistoryModel::ThumbnailRole).value<QImage>().width() >= 160);
    QCOMPARE(model.index(0, 0).data(HistoryModel::AnswerRole).toString(), QStringLiteral("not answered"));
    study::AnsweredTrial rated;
    rated.comparison = owl.id, rated.task = study::Task::Rate;
    rated.slot_samples = {owl.samples[0].id}, rated.choices = QStringList{"2"};
    QVERIFY(store.addTrial(rated));
    QCOMPARE(model.index(0, 0).data(HistoryModel::AnswerRole).toString(), QStringLiteral("rated"));
    QCOMPARE(model.index(0, HistoryModel::Precisions).data().toString(), QStringLiteral("bf16 2"));
    QCOMPARE(model.index(1, HistoryModel::Precisions).data().toString(), QStringLiteral("bf16"));
    model.setSearch(QStringLiteral("FOX"));
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(model.comparisonAt(0), fox.id);
    QCOMPARE(model.comparisonAt(5), 0);
    model.setSearch({});
    model.hide(owl.id);
    QCOMPARE(model.rowCount(), 1);
  }

  // Lists of pictures may hold any seed: Qt's JSON rounds 2^64 - 1 up, beyond what a seed holds. What is edited may be anything.
  void aRecipeThatCannotBeReadCostsNoPicture() {
    study::StudyStore store;
    QVERIFY(store.open(QStringLiteral(":memory:")));
    auto stored = kept(store, QStringLiteral("a fox"));
    for (const QJsonValue& seed : {QJsonValue(18446744073709551616.0), QJsonValue(2.5), QJsonValue("seven")}) {
      stored.recipe[QStringLiteral("seed")] = seed;
      const ComparisonResult shown = fromStored(stored);
      QCOMPARE(shown.recipe.prompt, std::string("a fox"));
      QVERIFY(!shown.samples.at(0).image.isNull());
    }
  }

  void scoreFollowsTheStore() {
    study::StudyStore store;
    QVERIFY(store.open(QStringLiteral(":memory:")));
    ScoreSummary score(&store);
    QSignalSpy changed(&score, &ScoreSummary::changed);
    QCOMPARE(score.text(study::Task::NameEach), QString());
    const auto fox = kept(store, QStringLiteral("a fox"));
    study::AnsweredTrial trial;
    trial.comparison = fox.id;
    trial.tiles = 4;
    trial.chance = 0.25;
    for (const int right : {4, 4, 4, 2, 2, 1}) {
      trial.hits = right;
      QVERIFY(store.addTrial(trial));
    }
    QCOMPARE(changed.count(), 7);
    QCOMPARE(score.text(study::Task::NameEach), QStringLiteral("You: 17/24, 71\u2009% (chance 25\u2009%, 95\u2009% CI 25–97)"));
    QVERIFY(score.tip(study::Task::NameEach).contains(QStringLiteral("Clopper and Pearson")));
    QCOMPARE(score.text(study::Task::SpotOne), QString());
    QCOMPARE(score.text(study::Task::Rate, fox.model), QString());
    trial.task = study::Task::Rate, trial.hits = trial.tiles = 0;
    trial.slot_samples = {fox.samples[0].id}, trial.choices = QStringList{"4"};
    QVERIFY(store.addTrial(trial));
    QCOMPARE(score.text(study::Task::Rate, fox.model), QStringLiteral("You: bf16 4.0, N = 1"));
    QVERIFY(store.addTrial(trial));
    QCOMPARE(score.text(study::Task::Rate, fox.model), QStringLiteral("You: bf16 4.0 (1.3–5.0), N = 2"));   // equal grades are no certainty
    QVERIFY(score.tip(study::Task::Rate, fox.model).contains(QStringLiteral("bf16: 4.0 (1.3–5.0), N = 2")));
    QCOMPARE(score.text(study::Task::Rate, QStringLiteral("another")), QString());
    QCOMPARE(score.text(study::Task::NameEach), QStringLiteral("You: 17/24, 71\u2009% (chance 25\u2009%, 95\u2009% CI 25–97)"));
  }
};

QTEST_GUILESS_MAIN(ModelsTest)
#include "models_test.moc"
