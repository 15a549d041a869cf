// Freezing beside the window: progress, cancel before the seal, and whatever happens in the middle leaves all or nothing.
#include "tests/ui/loop_gap.h"
#include "tests/ui/study_fixture.h"
#include "ui/models/study_freezer.h"

#include <QFile>
#include <QSignalSpy>

using namespace quantspot;
using namespace quantspot::ui;
using namespace sample;

namespace {

struct Bench {
  explicit Bench(int comparisons = 4) {
    if (!store.open(history())) qFatal("no store");
    for (int number = 0; number < comparisons; ++number) {
      study::Comparison one;
      one.model = "default", one.recipe = {{"prompt", QStringLiteral("a fox, no. %1").arg(number)}, {"seed", 7}};
      for (int v = 0; v < 3; ++v) {
        study::Sample sample;
        sample.precision = QStringList{"bf16", "bnb-nf4", "gguf-q4_k"}[v], sample.png = realPng(number, v * 3, 160);
        sample.report = {{"noise_sha256", "n"}};
        one.samples.push_back(sample);
      }
      store.addComparison(one);
      ids << one.id;
    }
    draft = std::make_unique<StudyDraft>(folder.filePath("drafts/one.json"), &store);
    for (const qint64 id : ids)
      if (const QString why = draft->addFromHistory(id); !why.isEmpty()) qFatal("%s", qPrintable(why));
  }
  QString history() const { return folder.filePath("study.sqlite"); }
  void start(StudyFreezer& freezer) { freezer.start(*draft, history(), history(), kPassphrase, SealCost::Interactive); }
  QStringList studies() const { return Ledger(history()).studies(); }
  bool untouched() { return studies().isEmpty() && QFile::exists(draft->file()) && !store.comparison(ids[0])->samples[0].png.isEmpty(); }
  bool done() { return studies().size() == 1 && !QFile::exists(draft->file()) && store.comparison(ids[0])->samples[0].png.isEmpty(); }

  QTemporaryDir folder;
  study::StudyStore store;
  QList<qint64> ids;
  std::unique_ptr<StudyDraft> draft;
};

}  // namespace

class StudyFreezerTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aDraftBecomesAStudyAndTheLoopIsNeverHeldUp() {
    Bench bench(8);
    StudyFreezer freezer;
    QSignalSpy progress(&freezer, &StudyFreezer::progress), sealing(&freezer, &StudyFreezer::sealing), frozen(&freezer, &StudyFreezer::frozen);
    ui::LoopGap gap;
    bench.start(freezer);
    QVERIFY(freezer.isRunning());
    QTRY_COMPARE_WITH_TIMEOUT(frozen.count(), 1, 60000);
    const qint64 longest = gap.stop();
    QCOMPARE(progress.count(), 9);                                     // before each of the eight, and after the last
    QCOMPARE(progress.last(), (QVariantList{8, 8}));
    QCOMPARE(sealing.count(), 1);
    QCOMPARE(frozen[0][1].toString(), QString());
    QVERIFY2(longest < 300, qPrintable(QString::number(longest)));
    QCOMPARE(bench.studies(), QStringList{frozen[0][0].toString()});
    QVERIFY(bench.done());
    const FrozenStudy study = Ledger(bench.history()).study(bench.studies()[0]);
    QCOMPARE(study.open(kPassphrase).images.size(), 8);
    QVERIFY(!freezer.cancel());                                        // too late
  }

  void cancelledBeforeTheSealNothingHasChanged() {
    Bench bench;
    StudyFreezer freezer;
    QSignalSpy cancelled(&freezer, &StudyFreezer::cancelled), frozen(&freezer, &StudyFreezer::frozen);
    bool stopped = false;
    connect(&freezer, &StudyFreezer::progress, this, [&](int done, int) { stopped = done == 0 ? freezer.cancel() : stopped; });
    bench.start(freezer);
    QTRY_VERIFY_WITH_TIMEOUT(cancelled.count() + frozen.count() == 1, 60000);
    if (!stopped) QSKIP("the machine froze it before the first signal came");
    QCOMPARE(cancelled.count(), 1);
    QVERIFY(bench.untouched());
    bench.start(freezer);                                              // and it can be begun again
    disconnect(&freezer, &StudyFreezer::progress, this, nullptr);
    QTRY_COMPARE_WITH_TIMEOUT(frozen.count(), 1, 60000);
    QVERIFY(bench.done());
  }

  // The window may be closed at any moment.
  void closedInTheMiddleItIsAllOrNothing() {
    for (const int ms : {0, 5, 30, 80, 200, 500}) {
      Bench bench(3);
      {
        StudyFreezer freezer;
        bench.start(freezer);
        QTest::qWait(ms);
      }
      QVERIFY2(bench.untouched() || bench.done(), qPrintable(QString::number(ms)));
      if (!bench.studies().isEmpty()) QVERIFY(!Ledger(bench.history()).study(bench.studies()[0]).open(kPassphrase).images.isEmpty());
    }
  }

  // Two freezes of one draft: the second finds the pictures sealed, and says so.
  void whatCannotBeFrozenIsSaid() {
    Bench bench;
    StudyFreezer freezer;
    QSignalSpy failed(&freezer, &StudyFreezer::failed), frozen(&freezer, &StudyFreezer::frozen);
    freezer.start(*bench.draft, bench.history(), "/proc/nowhere/study.sqlite", kPassphrase, SealCost::Interactive);
    QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 60000);
    QVERIFY2(failed[0][0].toString().contains("/proc/nowhere"), qPrintable(failed[0][0].toString()));
    QVERIFY(bench.untouched());                                        // no study, so nothing was sealed
    bench.start(freezer);
    QTRY_COMPARE_WITH_TIMEOUT(frozen.count(), 1, 60000);
    StudyDraft again(bench.folder.filePath("drafts/two.json"), &bench.store);
    const QString why = again.addFromHistory(bench.ids[0]);
    QVERIFY2(why.contains("sealed until"), qPrintable(why));
  }

  // A second draft of the same pictures must not tell them by their hashes.
  void hashesLeaveOtherDrafts() {
    Bench bench;
    StudyDraft second(bench.folder.filePath("drafts/two.json"), &bench.store);
    QCOMPARE(second.addFromHistory(bench.ids[1]), QString());
    const auto text = [&] {
      QFile file(second.file());
      return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    QVERIFY(text().contains("image_sha256"));
    StudyFreezer freezer;
    QSignalSpy frozen(&freezer, &StudyFreezer::frozen);
    bench.start(freezer);
    QTRY_COMPARE_WITH_TIMEOUT(frozen.count(), 1, 60000);
    QVERIFY(!text().contains("image_sha256") && text().contains("no. 1"));
  }
};

QTEST_MAIN(StudyFreezerTest)
#include "study_freezer_test.moc"
