// Against a real PostgreSQL server, started here and thrown away. Skipped, visibly, where there is none.
#include "study/bundle.h"
#include "tests/study/postgres_server.h"
#include "tests/study/station_process.h"

#include <QRegularExpression>
#include <QSqlQuery>
#include <QTest>

#include <map>

using namespace quantspot::study;

namespace {

// Run as a process of its own: somebody answers, closes the study at the seventh answer and goes on trying. Says the head after closing, and what was
// taken after it (nothing should be).
int closer(const QString& url, const QString& hash, int seed) {
  Ledger ledger(url);
  const FrozenStudy study = ledger.study(hash);
  const Mapping mapping = study.open(sample::kPassphrase);
  const Protocol protocol = study.protocol();
  const Seat seat = ledger.join(hash);
  quantspot::statistics::Random random(static_cast<std::uint64_t>(seed));
  std::puts("ready");
  std::fflush(stdout);
  if (std::getchar() < 0) return 1;
  int kept = 0, after = 0;
  const auto attempt = [&](const std::function<void()>& body) {
    try {
      body();
      ++after;
    } catch (const Refused&) {
    }
  };
  for (const PlannedTrial& trial : planTrials(study, mapping, seat.participant, seat.cell)) {
    const QString answer = sample::answerOf(protocol, trial, 0.6, random);
    try {
      ledger.answer(study, mapping, seat, trial.index, answer);
      ++kept;
    } catch (const Refused&) {             // the other one closed it
      break;
    }
    if (kept == 7) break;
  }
  ledger.close(hash);
  std::printf("head %s\n", ledger.head(hash).constData());
  for (int i = 0; i < 5; ++i) {
    attempt([&] { ledger.answer(study, mapping, seat, 20 + i, "A"); });
    attempt([&] { ledger.join(hash); });
    attempt([&] { ledger.undo(hash, seat.participant); });
    ledger.close(hash);
  }
  std::printf("kept %d after %d\n", kept, after);
  return 0;
}

}  // namespace

class ServerTest : public QObject {
  Q_OBJECT
  sample::PostgresServer server_;
  QTemporaryDir folder_;

 private Q_SLOTS:
  void initTestCase() {
    const QString reason = server_.start();
    if (!reason.isEmpty()) QSKIP(qPrintable(reason));
  }

  void aStudyLivesOnAServer() {
    const FrozenStudy study = sample::frozen();
    Ledger ledger(server_.url());
    ledger.addStudy(study);
    const auto seats = sample::run(ledger, study, 2, 0.6);
    QVERIFY(ledger.undo(study.hash(), seats[1].participant));
    QCOMPARE(Ledger(server_.url()).study(study.hash().left(12)).pictures, study.pictures);
    ledger.erase(study.hash(), seats[0].participant);
    QCOMPARE(ledger.join(study.hash()).cell, 2);
    const auto chain = ledger.chain(study.hash());
    QVERIFY(chainProblems(study.hash().toLatin1(), chain, ledger.head(study.hash())).isEmpty());
    const Verification v = verifyBundle(makeBundle(study, chain, study.open(sample::kPassphrase)));
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    QCOMPARE(v.responses, 25);
    QCOMPARE(v.erased, 27);
  }

  void whatCannotBeReachedIsNamedWithoutItsPassword() {
    try {
      Ledger ledger("postgresql://qs:secret@127.0.0.1:1/study");
      QFAIL("nothing listens there");
    } catch (const Error& error) {
      const QString said = QString::fromUtf8(error.what());
      QVERIFY2(said.contains("127.0.0.1:1") && said.contains("is the server running") && !said.contains("secret"), qPrintable(said));
    }
  }

  void aStationAloneKeepsItsAnswersAndBringsThemOnce() {
    const FrozenStudy study = sample::frozen();
    const Mapping mapping = study.open(sample::kPassphrase);
    Ledger(server_.url()).addStudy(study);
    const QString journal = folder_.filePath("alone.sqlite"), copy = folder_.filePath("copy.sqlite");
    Seat seat;
    {
      Station station(server_.url(), journal);
      seat = station.join(study);
      station.answer(study, mapping, seat, 0, "A");
      QCOMPARE(station.waiting(), 0);
      server_.control("stop", "immediate");
      station.answer(study, mapping, seat, 1, "B");
      QVERIFY(!station.online() && !station.lastProblem().isEmpty());
      station.answer(study, mapping, seat, 2, "C");
      QCOMPARE(station.waiting(), 2);
      QVERIFY_EXCEPTION_THROWN(station.join(study), Error);
      QVERIFY_EXCEPTION_THROWN(station.answer(study, mapping, seat, 2, "Z"), Error);
    }
    QVERIFY(QFile::copy(journal, copy));
    if (QFile::exists(journal + "-wal")) QFile::copy(journal + "-wal", copy + "-wal");
    QVERIFY(server_.again());
    Station station(server_.url(), journal);   // restarted in between
    QVERIFY2(station.reconcile(), qPrintable(station.lastProblem()));
    Station killed(server_.url(), copy);       // died after the server had them, before its journal knew
    QVERIFY(killed.reconcile());
    QCOMPARE(killed.waiting(), 0);
    station.answer(study, mapping, seat, 1, "D");   // another answer to an answered trial is refused, and does not block the rest
    QVERIFY2(station.lastProblem().contains("trial 1 has another"), qPrintable(station.lastProblem()));
    Ledger ledger(server_.url());
    QCOMPARE(ledger.answered(study.hash(), seat.participant), (QList<int>{0, 1, 2}));
    QCOMPARE(ledger.chain(study.hash()).size(), 4u);
  }

  void eightStationsLoseNothingWhileTheServerFallsDown() {
    const FrozenStudy study = sample::frozen();
    Ledger(server_.url()).addStudy(study);
    std::vector<std::unique_ptr<QProcess>> stations;
    for (int i = 0; i < 8; ++i) {
      stations.push_back(std::make_unique<QProcess>());
      stations.back()->start(QCoreApplication::applicationFilePath(),
          {"--station", server_.url(), folder_.filePath(QStringLiteral("journal%1.sqlite").arg(i)), study.hash(), QString::number(i)});
    }
    for (auto& process : stations) QVERIFY(process->waitForReadyRead(30000));
    for (int fall = 0; fall < 3; ++fall) {
      QTest::qSleep(700);
      if (fall == 1) {   // connections cut, the server stays
        Connection keeper(server_.url());
        QSqlQuery query(keeper.database());
        QVERIFY(query.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'study'"));
        continue;
      }
      server_.control("stop", "immediate");
      QTest::qSleep(400);
      QVERIFY(server_.again());
    }
    std::map<std::pair<QString, int>, QString> acknowledged;
    for (auto& process : stations) {
      QVERIFY(process->waitForFinished(90000));
      QCOMPARE(process->exitCode(), 0);
      for (const QByteArray& line : process->readAllStandardOutput().split('\n')) {
        const QList<QByteArray> parts = line.split(' ');
        if (parts.size() == 3) acknowledged[{parts[0], parts[1].toInt()}] = parts[2];
      }
    }
    QCOMPARE(acknowledged.size(), 8u * 3 * 26);
    Ledger ledger(server_.url());
    const auto chain = ledger.chain(study.hash());
    QVERIFY(chainProblems(study.hash().toLatin1(), chain).isEmpty());
    std::map<std::pair<QString, int>, QString> stored;
    for (const ChainRecord& record : chain) {
      const QJsonObject json = record.json();
      if (json["kind"].toString() != "response") continue;
      const auto [entry, fresh] = stored.emplace(std::pair(json["participant"].toString(), json["trial"].toInt()), json["answer"].toString());
      QVERIFY2(fresh, "an answer is there twice");
    }
    QCOMPARE(stored, acknowledged);
    QSet<int> cells;
    for (const Seat& seat : ledger.seats(study.hash())) cells << seat.cell;
    QCOMPARE(cells.size(), static_cast<qsizetype>(ledger.seats(study.hash()).size()));
  }

  // Two who answer and close at the same time: one close, nothing after it, and one head for both.
  void nobodyAnswersAfterTheCloseWhoeverCloses() {
    for (int round = 0; round < 4; ++round) {
      const FrozenStudy study = sample::frozen();
      const QString hash = study.hash();
      Ledger ledger(server_.url());
      ledger.addStudy(study);
      std::array<QProcess, 2> closers;
      for (int i = 0; i < 2; ++i)
        closers[i].start(QCoreApplication::applicationFilePath(), {"--closer", server_.url(), hash, QString::number(2 * round + i)});
      for (QProcess& process : closers) QVERIFY(process.waitForReadyRead(30000));
      for (QProcess& process : closers) process.write("go\n"), process.waitForBytesWritten();
      QStringList heads;
      int kept = 0;
      for (QProcess& process : closers) {
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitCode(), 0);
        const QString said = QString::fromUtf8(process.readAllStandardOutput());
        const auto match = QRegularExpression("head (\\w{64})\nkept (\\d+) after (\\d+)").match(said);
        QVERIFY2(match.hasMatch(), qPrintable(said));
        heads << match.captured(1);
        kept += match.captured(2).toInt();
        QCOMPARE(match.captured(3).toInt(), 0);
      }
      QCOMPARE(heads[0], heads[1]);
      QCOMPARE(QString::fromLatin1(ledger.head(hash)), heads[0]);
      const auto chain = ledger.chain(hash);
      QVERIFY(chainProblems(hash.toLatin1(), chain, heads[0].toLatin1()).isEmpty());
      QCOMPARE(chain.back().json()["kind"].toString(), QStringLiteral("close"));
      QCOMPARE(static_cast<int>(chain.size()), 2 + kept + 1);          // two joins, what was kept, one close

      // A station's answer from after the close is refused when it comes, and changes nothing.
      Station station(server_.url(), folder_.filePath(QStringLiteral("closed%1.sqlite").arg(round)));
      QVERIFY_EXCEPTION_THROWN(station.join(study), Error);
      station.answer(study, study.open(sample::kPassphrase), ledger.seats(hash)[0], 22, "A");
      QCOMPARE(station.refused(), 1);
      QCOMPARE(QString::fromLatin1(ledger.head(hash)), heads[0]);
    }
  }
};

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList arguments = application.arguments();
  if (arguments.value(1) == QLatin1String("--station")) return sample::station(arguments[2], arguments[3], arguments[4], arguments[5].toInt());
  if (arguments.value(1) == QLatin1String("--closer")) return closer(arguments[2], arguments[3], arguments[4].toInt());
  ServerTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "server_test.moc"
