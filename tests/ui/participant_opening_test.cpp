// A study is opened for a participant: what its folder must not hold, and a store that is held or away.
#include "study/study_store.h"
#include "tests/study/store_holder.h"
#include "tests/ui/study_fixture.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>

using namespace quantspot;
using namespace sample;

class ParticipantOpeningTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // What the history holds of the study is out of the file before anybody sits down; files with names are said, and nothing begins.
  void theDataFolderIsClosedBeforeAnybodySitsDown() {
    StudyOnDisk disk;
    ParticipantSession::Place place = disk.place();
    place.history = disk.folder.filePath("history.sqlite");
    study::StudyStore store;
    QVERIFY(store.open(place.history));
    study::Comparison comparison;
    comparison.model = "default", comparison.recipe = {{"prompt", "a fox"}};
    study::Sample sample;
    sample.precision = "bnb-nf4", sample.png = realPictures(disk.study.protocol())["c1"]["bnb-nf4"];
    comparison.samples = {sample};
    QVERIFY(store.addComparison(comparison));
    const QString folder = disk.folder.filePath("evaluations/first"), picture = folder + "/bnb-nf4.png";
    QFile file(picture);
    QVERIFY(QDir().mkpath(folder) && file.open(QIODevice::WriteOnly) && file.write(sample.png) == sample.png.size());
    file.close();
    {
      ParticipantSession session(place);
      QSignalSpy failed(&session, &ParticipantSession::failed);
      session.unlock(kPassphrase);
      QTRY_COMPARE(failed.count(), 1);
      QVERIFY2(session.message().contains("evaluations/first") && session.message().contains("under their names"), qPrintable(session.message()));
      QVERIFY(session.stage() == Stage::Locked);
    }
    QVERIFY(QFile::remove(picture));
    ParticipantSession session(place);
    QVERIFY(opens(session));
    QVERIFY(store.comparison(comparison.id)->samples[0].png.isEmpty());
    QVERIFY2(store.comparison(comparison.id)->samples[0].failure.contains("sealed"), qPrintable(store.comparison(comparison.id)->samples[0].failure));
  }

  // Another program holds the store when the study is opened: the window goes on, says what it waits for, and opens when the store is free.
  void aLockedStoreDoesNotHoldTheOpeningUp() {
    StudyOnDisk disk;
    ParticipantSession::Place place = disk.place();
    place.patience_ms = 20;
    ParticipantSession session(place);
    auto holder = std::make_unique<sample::StoreHolder>(disk.store());
    QSignalSpy busy(&session, &ParticipantSession::busyChanged), failed(&session, &ParticipantSession::failed);
    QElapsedTimer since;
    since.start();
    QVERIFY(session.unlock(kPassphrase));
    QVERIFY2(since.elapsed() < 4000, qPrintable(QString::number(since.elapsed())));   // the store is waited for five seconds at a time
    QCOMPARE(session.stage(), Stage::Locked);
    QVERIFY(session.isBusy() && session.busyText().contains("Opening"));
    QVERIFY(!session.unlock(kPassphrase));                             // once at a time
    QTRY_VERIFY_WITH_TIMEOUT(session.busyText().contains("Trying again (2 of 3)"), 15000);
    holder.reset();
    QTRY_COMPARE_WITH_TIMEOUT(session.stage(), Stage::Welcome, 30000);
    QVERIFY(!session.isBusy() && failed.isEmpty());
    session.begin(), session.agree();
    QTRY_COMPARE(session.stage(), Stage::Before);
  }

  // A store that stays away is said after some attempts, with what to do; the passphrase was not tried, and the next attempt begins anew.
  void aStoreThatStaysAwayIsSaid() {
    StudyOnDisk disk;
    ParticipantSession::Place place = disk.place();
    place.store = QStringLiteral("postgresql://nobody@127.0.0.1:1/nothing");
    place.patience_ms = 20;
    ParticipantSession session(place);
    QVERIFY(session.isUntried());
    for (int attempt = 1; attempt <= 2; ++attempt) {
      QSignalSpy failed(&session, &ParticipantSession::failed);
      session.unlock(kPassphrase);
      QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 30000);
      QVERIFY2(session.message().startsWith("The study cannot be opened now: ") &&
               session.message().contains("(postgresql://nobody@127.0.0.1:1/nothing)"),
               qPrintable(session.message()));
      QVERIFY(session.isUntried() && !session.isBusy() && session.notice().isEmpty());
    }
  }
};

QTEST_MAIN(ParticipantOpeningTest)
#include "participant_opening_test.moc"
