// One person's way through a study: every kind, time rules, undo, coming back, and what happens when the store or the disk fails.
#include "tests/full_disk.h"
#include "tests/ui/study_fixture.h"
#include "ui/models/trial_choices.h"

#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QSqlDatabase>
#include <QSqlQuery>

using namespace quantspot;
using namespace sample;
using quantspot::test::FullDisk;

namespace {

QString anyAnswer(const ui::TrialScreen& trial) {
  const auto choices = ui::choicesOf(trial);
  if (!choices.empty()) return choices.back().answer;
  QStringList letters;
  for (std::size_t i = trial.pictures.size(); i > 0; --i) letters << QString(QChar(u'A' + static_cast<int>(i) - 1));
  return letters.join(u',');
}

// Holds the SQLite file as another program that writes does.
class Writer {
 public:
  explicit Writer(const QString& file) : database_(QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("writer"))) {
    database_.setDatabaseName(file);
    if (!database_.open() || !QSqlQuery(database_).exec(QStringLiteral("BEGIN IMMEDIATE"))) qFatal("cannot lock");
  }
  ~Writer() {
    QSqlQuery(database_).exec(QStringLiteral("ROLLBACK"));
    database_ = {};
    QSqlDatabase::removeDatabase(QStringLiteral("writer"));
  }

 private:
  QSqlDatabase database_;
};

}  // namespace

class ParticipantSessionTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyKindFromWelcomeToThanks() {
    StudyOnDisk disk;
    ParticipantSession session(disk.place());
    QVERIFY(!session.unlock("wrong"));
    QVERIFY2(session.message().contains("passphrase is wrong"), qPrintable(session.message()));
    QVERIFY(opens(session));
    session.begin();
    QCOMPARE(session.stage(), Stage::Consent);
    session.decline();
    QCOMPARE(session.stage(), Stage::Welcome);
    QVERIFY(Ledger(disk.store()).seats(disk.study.hash()).empty());    // nobody joined who did not agree
    session.begin(), session.agree();
    QCOMPARE(session.stage(), Stage::Before);
    session.submit({{"eyes", "no"}});
    int practice = 0, trials = 0, breaks = 0;
    QSet<study::TrialKind> kinds;
    while (session.stage() != Stage::After) {
      breaks += session.stage() == Stage::Break;
      QVERIFY(toTrial(session));
      const ui::TrialScreen& trial = session.trial();
      QCOMPARE(trial.number, (trial.practice ? practice : trials) + 1);
      QCOMPARE(trial.of, trial.practice ? 2 : 14);
      (trial.practice ? practice : trials)++;
      kinds << trial.kind;
      for (const QImage& picture : trial.pictures) QCOMPARE(picture.size(), QSize(48, 48));
      QVERIFY(session.answer(anyAnswer(trial)));
      if (session.stage() == Stage::Feedback) QVERIFY(!session.message().isEmpty());
    }
    QVERIFY(practice == 2 && trials == 14 && kinds.size() == 7);
    QCOMPARE(breaks, 7);                                               // before practice and between blocks
    session.submit({{"hard", 4}, {"more", ""}});
    QCOMPARE(session.stage(), Stage::Thanks);
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    QCOMPARE(responses.rows.size(), std::size_t(16));
    const auto asked = disk.records("questionnaire");
    QCOMPARE(asked.size(), std::size_t(2));
    QCOMPARE(asked[0]["answers"].toObject()["eyes"].toString(), QStringLiteral("no"));
    QCOMPARE(asked[1]["answers"].toObject()["hard"].toInt(), 4);
    QCOMPARE(disk.records("join")[0]["consent"].toString(), QStringLiteral("1"));
  }

  // After the questions and before the first trial; kept as one record when the last plate is answered.
  void theColourVisionCheckComesFirst() {
    Protocol p = everyKind(1);
    p.colour_plates = 1, p.exclusion.min_plates_read = 3;
    StudyOnDisk disk(p);
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    session.begin(), session.agree(), session.submit({{"eyes", "no"}});
    QCOMPARE(session.stage(), Stage::Plates);
    QCOMPARE(session.plateCount(), 4);
    session.go();                                                      // no way around it
    session.readPlate("twelve");
    QVERIFY(session.stage() == Stage::Plates && session.plateNumber() == 1 && session.plate().size() > 100);
    const auto plates = planPlates(disk.study.protocol(), disk.study.hash(), disk.mapping, session.code());
    for (const PlannedPlate& plate : plates)
      session.readPlate(plate.axis == ColourAxis::Deutan ? QStringLiteral("none") : QString::number(plate.numeral));
    QCOMPARE(session.stage(), Stage::Break);
    QVERIFY(session.plate().empty());
    QCOMPARE(disk.records("colour-vision").size(), std::size_t(1));
    QVERIFY(toTrial(session));
    QVERIFY(session.answer(anyAnswer(session.trial())));
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    QCOMPARE(platesRead(responses.plates, session.code()), 2);
    QCOMPARE(responses.rows[0].excluded, QStringLiteral("colour vision"));
    const QString code = session.code();
    session.go();
    ParticipantSession again(disk.place("other"));                     // who has answered is not checked anew
    QVERIFY(opens(again));
    again.resume(code);
    QVERIFY(again.stage() == Stage::Break);
  }

  void practiceTellsWhatWasRight() {
    StudyOnDisk disk;
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    toFirstTrial(session);
    const QString truth = disk.plan(session.code())[0].truth;
    QVERIFY(session.answer(truth == "A" ? "B" : "A"));
    QCOMPARE(session.message(), QStringLiteral("Not this time: the right answer was %1.").arg(truth));
    QVERIFY(!session.canUndo());                                       // the truth was told
    QVERIFY(toTrial(session));
    QVERIFY(session.answer(disk.plan(session.code())[1].truth));
    QCOMPARE(session.message(), QStringLiteral("That is right."));
  }

  void minimumAndLimitOfViewing() {
    Protocol p = everyKind();
    p.practice = 0, p.min_viewing_s = 0.15, p.time_limit_s = 0.4;
    StudyOnDisk disk(p);
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    QSignalSpy answerable(&session, &ParticipantSession::answerable), up(&session, &ParticipantSession::timeUp);
    toFirstTrial(session);
    QVERIFY(!session.answer("A"));                                     // too early
    QVERIFY(answerable.wait(2000));
    QTRY_VERIFY(session.viewingLeft() == 0);
    session.pause();                                                   // the clock stands
    QTest::qWait(500);
    QCOMPARE(up.count(), 0);
    QVERIFY(!session.answer("A"));
    session.proceed();
    session.picturesShown();
    QVERIFY(up.count() == 1 || up.wait(2000));
    QVERIFY(session.timedOut());
    QVERIFY(session.answer("A"));
    const QJsonObject record = disk.records("response")[0];
    QVERIFY(record["timed_out"].toBool() && record["pauses"].toInt() == 1);
    QVERIFY2(record["response_ms"].toInt() >= 350 && record["response_ms"].toInt() < 900, qPrintable(QString::number(record["response_ms"].toInt())));
  }

  void onlyTheLastAnswerIsTakenBack() {
    Protocol p = everyKind(4);
    p.practice = 0;
    StudyOnDisk disk(p);
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    toFirstTrial(session);
    QVERIFY(!session.canUndo());
    QVERIFY(session.answer("A") && toTrial(session));
    QVERIFY(session.answer("B") && toTrial(session));
    QVERIFY(session.undo() && !session.undo());
    QVERIFY(toTrial(session));
    QCOMPARE(session.trial().number, 2);
    QVERIFY(session.answer("C") && toTrial(session));
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    QCOMPARE(responses.rows.size(), std::size_t(2));
    QCOMPARE(responses.rows[1].answer, QStringLiteral("C"));
    QCOMPARE(disk.records("undo").size(), std::size_t(1));
  }

  void focusLossesAndTheScreenAreLogged() {
    StudyOnDisk disk;
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    toFirstTrial(session);
    session.focusLost(), session.focusLost();
    QVERIFY(session.answer("A", {{"zoom", 2.0}}));
    const QJsonObject record = disk.records("response")[0];
    QCOMPARE(record["focus_losses"].toInt(), 2);
    QCOMPARE(record["screen"].toObject()["zoom"].toDouble(), 2.0);
    QCOMPARE(record["station"].toString(), QStringLiteral("here"));
  }

  void comingBack_data() {
    QTest::addColumn<int>("policy");
    QTest::addColumn<int>("trial");        // number of the first trial then
    QTest::newRow("same day") << static_cast<int>(ResumePolicy::ContinueSameDay) << 4;
    QTest::newRow("next block") << static_cast<int>(ResumePolicy::NextBlock) << 5;   // what was left of the second block is left out
    QTest::newRow("restart") << static_cast<int>(ResumePolicy::Restart) << 1;
  }
  void comingBack() {
    QFETCH(int, policy);
    QFETCH(int, trial);
    Protocol p = everyKind();
    p.practice = 0, p.resume = static_cast<ResumePolicy>(policy);
    awayFromMidnight();
    StudyOnDisk disk(p);
    QString code;
    {
      ParticipantSession session(disk.place());
      QVERIFY(opens(session));
      toFirstTrial(session);
      code = session.code();
      for (int i = 0; i < 3; ++i) QVERIFY(session.answer("A") && toTrial(session));
    }
    ParticipantSession again(disk.place());
    QVERIFY(opens(again));
    again.resume("0123456789abcdef");
    QVERIFY2(again.message().contains("nobody in this study has the code"), qPrintable(again.message()));
    again.resume(' ' + code.toUpper());
    if (again.stage() == Stage::Consent) again.agree();
    if (again.stage() == Stage::Before) again.submit({{"eyes", "no"}});
    QVERIFY(toTrial(again));
    QCOMPARE(again.trial().number, trial);
    QCOMPARE(again.code() == code, p.resume != ResumePolicy::Restart);
    QVERIFY(again.answer(anyAnswer(again.trial())));
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    if (p.resume == ResumePolicy::Restart) {
      QCOMPARE(responses.rows[0].excluded, QStringLiteral("restarted"));
      QCOMPARE(responses.rows.back().excluded, QString());
    }
  }

  void anotherDayIsRefusedWhereTheProtocolSaysSo() {
    StudyOnDisk disk;
    QJsonObject join{{"kind", "join"}, {"participant", "feedfeedfeedfeed"}, {"cell", 0}, {"time", "2020-05-01T10:00:00.000Z"}};
    const QString elsewhere = disk.folder.filePath("old.sqlite");
    Ledger(elsewhere).restore(disk.study, {nextRecord(disk.study.hash().toLatin1(), 0, join)});
    ParticipantSession::Place place = disk.place();
    place.store = elsewhere;
    ParticipantSession session(place);
    QVERIFY(opens(session));
    session.resume("feedfeedfeedfeed");
    QCOMPARE(session.stage(), Stage::Welcome);
    QVERIFY2(session.message().contains("finished on the day it was begun (2020-05-01)"), qPrintable(session.message()));
  }

  void aClosedStudyTakesNobody() {
    StudyOnDisk disk;
    Ledger(disk.store()).close(disk.study.hash());
    ParticipantSession session(disk.place());
    QVERIFY(!session.unlock(kPassphrase));
    QVERIFY2(session.message().contains("closed"), qPrintable(session.message()));
  }

  void twoWindowsOnOneStudy() {
    awayFromMidnight();
    StudyOnDisk disk;
    ParticipantSession first(disk.place()), same(disk.place()), other(disk.place("left"));
    QVERIFY(opens(first));
    QVERIFY(!same.unlock(kPassphrase));
    QVERIFY2(same.message().contains("another window answers here as station 'here'"), qPrintable(same.message()));
    QVERIFY(opens(other));
    toFirstTrial(first);
    other.resume(first.code());                                        // two windows for one person
    if (other.stage() == Stage::Before) other.submit({});
    QVERIFY(toTrial(other));
    QVERIFY(first.answer("A"));
    QVERIFY(!other.answer("B"));
    QCOMPARE(other.stage(), Stage::Halted);
    QVERIFY2(other.message().contains("trial 0 has another"), qPrintable(other.message()));
    QVERIFY(toTrial(first) && first.answer("A"));
    QVERIFY(chainProblems(disk.study.hash().toLatin1(), Ledger(disk.store()).chain(disk.study.hash())).isEmpty());
    QCOMPARE(disk.responses().rows.size(), std::size_t(2));
  }

  void aLockedDatabaseKeepsTheAnswersHere() {
    StudyOnDisk disk;
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    toFirstTrial(session);
    {
      const Writer writer(disk.store());
      QVERIFY(session.answer("A"));                                    // in the journal
      QVERIFY(toTrial(session) && session.answer("A"));
      QVERIFY(!session.isOnline());                                    // the patience of this session outlasts the lock's 5 s
      QVERIFY(toTrial(session) && session.answer("A"));                // the first of the trials proper
      QVERIFY(toTrial(session) && session.undo());
      QVERIFY(toTrial(session) && session.answer("B"));
      QVERIFY2(session.notice().contains("saved on this computer"), qPrintable(session.notice()));
    }
    QCOMPARE(disk.responses().rows.size(), std::size_t(0));
    const QString code = session.code();
    study::Station station(disk.store(), disk.place().folder + "/station-here.sqlite");
    QVERIFY2(station.reconcile(), qPrintable(station.lastProblem()));
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    QCOMPARE(responses.rows.size(), std::size_t(3));
    QCOMPARE(responses.rows[2].answer, QStringLiteral("B"));
    QCOMPARE(disk.records("undo").size(), std::size_t(1));
  }

  // Another program holds the store for seconds: the window goes on at once, and what was answered arrives when the store is free.
  void aLockedStoreDoesNotHoldTheWindowUp() {
    Protocol p = everyKind(4);
    p.practice = 0;
    StudyOnDisk disk(p);
    ParticipantSession::Place place = disk.place();
    place.patience_ms = 20, place.retry_ms = 200;
    ParticipantSession session(place);
    QVERIFY(opens(session));
    session.begin(), session.agree();
    QVERIFY(QTest::qWaitFor([&] { return session.stage() == Stage::Before; }));
    session.submit({{"eyes", "no"}});
    QVERIFY(QTest::qWaitFor([&] { return session.stage() == Stage::Break; }) && toTrial(session));
    QElapsedTimer since;
    qint64 slowest = 0;
    {
      const Writer writer(disk.store());
      for (const char* answer : {"A", "B", "C"}) {
        since.start();
        QVERIFY(session.answer(answer));
        QVERIFY(QTest::qWaitFor([&] { return session.stage() != Stage::Trial || session.trial().number > 3; }, 2000));
        slowest = std::max(slowest, since.elapsed());
        QVERIFY(toTrial(session));
      }
      QVERIFY(disk.responses().rows.empty());
    }
    QVERIFY2(slowest < 1000, qPrintable(QStringLiteral("%1 ms").arg(slowest)));
    QTRY_COMPARE_WITH_TIMEOUT(disk.responses().rows.size(), std::size_t(3), 20000);
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    for (int i = 0; i < 3; ++i) QCOMPARE(responses.rows[i].answer, QString(QChar(u'A' + i)));
    QTRY_VERIFY(session.isOnline() && session.notice().isEmpty());
  }

  // The journal itself cannot be written for a while: nothing counts as given, nothing else is taken, and then all goes on.
  void anAnswerCountsWhenItIsSavedAndNotBefore() {
    StudyOnDisk disk;
    ParticipantSession::Place place = disk.place();
    place.patience_ms = 20;
    ParticipantSession session(place);
    QVERIFY(opens(session));
    session.begin(), session.agree();
    QVERIFY(QTest::qWaitFor([&] { return session.stage() == Stage::Before; }));
    session.submit({{"eyes", "no"}});
    QVERIFY(QTest::qWaitFor([&] { return session.stage() == Stage::Break; }) && toTrial(session));
    QSignalSpy saved(&session, &ParticipantSession::saved), busy(&session, &ParticipantSession::busyChanged);
    QTRY_VERIFY(!session.isBusy());
    {
      const Writer writer(place.folder + "/station-here.sqlite");
      QElapsedTimer since;
      since.start();
      QVERIFY(session.answer("B"));
      QVERIFY2(since.elapsed() < 1000, qPrintable(QString::number(since.elapsed())));
      QVERIFY(session.isBusy() && session.busyText() == "Saving…" && busy.count() == 1);
      QVERIFY(!session.answer("C") && !session.undo());
      session.pause();
      QTest::qWait(200);
      QCOMPARE(session.stage(), Stage::Trial);
      QCOMPARE(saved.count(), 0);
    }
    QTRY_COMPARE_WITH_TIMEOUT(saved.count(), 1, 10000);
    QVERIFY(!session.isBusy());
    QTRY_COMPARE(disk.responses().rows.size(), std::size_t(1));
    QCOMPARE(disk.responses().rows[0].answer, QStringLiteral("B"));
  }

  void aFullDiskLosesNothingThatWasShownAsSaved() {
    StudyOnDisk disk;
    ParticipantSession session(disk.place());
    QVERIFY(opens(session));
    toFirstTrial(session);
    QVERIFY(session.answer("A") && toTrial(session));
    QSignalSpy saved(&session, &ParticipantSession::saved);
    {
      const FullDisk full(4096);
      QVERIFY(!session.answer("B"));
      QVERIFY2(session.message().contains("cannot be written"), qPrintable(session.message()));
      QCOMPARE(saved.count(), 0);
      QCOMPARE(session.stage(), Stage::Trial);
    }
    QVERIFY2(session.answer("B"), qPrintable(session.message()));      // room was made
    const Responses responses = disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    QCOMPARE(responses.rows.size(), std::size_t(2));
    QVERIFY(chainProblems(disk.study.hash().toLatin1(), Ledger(disk.store()).chain(disk.study.hash())).isEmpty());
  }

  void aFolderThatCannotBeWrittenIsNamed() {
    StudyOnDisk disk;
    ParticipantSession::Place place = disk.place();
    place.folder = QStringLiteral("/proc/stations");                   // not even root can make it
    ParticipantSession session(place);
    QVERIFY(!session.unlock(kPassphrase));
    QVERIFY2(session.message().contains("/proc/stations cannot be made; choose another with --data"), qPrintable(session.message()));
  }

  void aClockSetBackIsSaid_data() {
    QTest::addColumn<int>("hours");
    QTest::newRow("two hours") << 2;                                   // today or, late in the evening, tomorrow
    QTest::newRow("another day") << 26;
  }

  void aClockSetBackIsSaid() {
    QFETCH(int, hours);
    StudyOnDisk disk;
    const QString later = QDateTime::currentDateTimeUtc().addSecs(3600 * hours).toString(Qt::ISODateWithMs);
    const QString elsewhere = disk.folder.filePath("future.sqlite");
    QJsonObject join{{"kind", "join"}, {"participant", "feedfeedfeedfeed"}, {"cell", 0}, {"time", later}};
    Ledger(elsewhere).restore(disk.study, {nextRecord(disk.study.hash().toLatin1(), 0, join)});
    ParticipantSession::Place place = disk.place();
    place.store = elsewhere;
    ParticipantSession session(place);
    QVERIFY(opens(session));
    session.resume("feedfeedfeedfeed");
    if (session.stage() == Stage::Before) session.submit({});
    QVERIFY(toTrial(session));
    QVERIFY2(session.notice().contains("clock"), qPrintable(session.notice()));
    QVERIFY(session.answer("A"));
    Ledger ledger(elsewhere);
    QVERIFY(chainProblems(disk.study.hash().toLatin1(), ledger.chain(disk.study.hash())).isEmpty());
  }
};

QTEST_MAIN(ParticipantSessionTest)
#include "participant_session_test.moc"
