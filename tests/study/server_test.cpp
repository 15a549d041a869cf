// Against a real PostgreSQL server, started here and thrown away. Skipped, visibly, where there is none.
#include "study/bundle.h"
#include "study/error.h"
#include "study/station.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QProcess>
#include <QSqlError>
#include <QSqlQuery>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <map>
#include <unistd.h>

using namespace quantspot::study;

namespace {

class Server {
 public:
  Server() {
    const QDir versions("/usr/lib/postgresql");
    const QStringList found = versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    if (!found.isEmpty()) bin_ = versions.filePath(found.last() + "/bin/");
    QTcpServer probe;
    probe.listen(QHostAddress::LocalHost);
    port_ = probe.serverPort();
  }
  ~Server() {
    if (running_) control("stop", "immediate");
  }
  // Empty when it runs; else why not.
  QString start() {
    if (bin_.isEmpty() || !QFile::exists(bin_ + "initdb")) return "PostgreSQL is not installed (Debian: postgresql)";
    if (geteuid() == 0 && run("chown", {"postgres", folder_.path()}, false) != 0) return "there is no user 'postgres' to run the server as";
    if (run(bin_ + "initdb", {"-D", data(), "-A", "trust", "-U", "qs", "--no-sync"}) != 0) return "initdb failed: " + said_;
    if (!again()) return "the server did not start: " + said_;
    return run(bin_ + "createdb", {"-h", "127.0.0.1", "-p", QString::number(port_), "-U", "qs", "study"}) == 0 ? QString() : said_;
  }
  bool again() {
    running_ = run(bin_ + "pg_ctl", {"-D", data(), "-w", "-l", folder_.filePath("log"), "-o",
        QStringLiteral("-p %1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=").arg(port_), "start"}) == 0;
    return running_;
  }
  void control(const QString& what, const QString& mode) { run(bin_ + "pg_ctl", {"-D", data(), "-w", "-m", mode, what}); }
  QString url() const { return QStringLiteral("postgresql://qs:secret@127.0.0.1:%1/study").arg(port_); }

 private:
  QString data() const { return folder_.filePath("data"); }
  // PostgreSQL refuses to run as root.
  int run(QString program, QStringList arguments, bool as_postgres = true) {
    if (as_postgres && geteuid() == 0) {
      arguments = QStringList{"--reuid=postgres", "--regid=postgres", "--clear-groups", program} + arguments;
      program = "setpriv";
    }
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.setStandardOutputFile(folder_.filePath("said"));   // a pipe would stay open in the server
    process.setWorkingDirectory(folder_.path());
    process.start(program, arguments);
    process.waitForFinished(60000);
    QFile said(folder_.filePath("said"));
    said_ = said.open(QIODevice::ReadOnly) ? QString::fromUtf8(said.readAll()) : QString();
    return process.exitStatus() == QProcess::NormalExit && process.error() == QProcess::UnknownError ? process.exitCode() : -1;
  }

  QTemporaryDir folder_;
  QString bin_, said_;
  int port_ = 0;
  bool running_ = false;
};

// Run as a process of its own: three people answer everything, whatever the server does. Says every answer that is kept.
int station(const QString& url, const QString& journal, const QString& hash, int seed) {
  const FrozenStudy study = Ledger(url).study(hash);
  const Mapping mapping = study.open(sample::kPassphrase);
  const Protocol protocol = study.protocol();
  Station here(url, journal);
  quantspot::statistics::Random random(static_cast<std::uint64_t>(seed));
  std::puts("ready");
  std::fflush(stdout);
  for (int person = 0; person < 3; ++person) {
    std::optional<Seat> seat;
    for (int i = 0; !seat && i < 300; ++i) {
      try {
        seat = here.join(study);
      } catch (const Error&) {
        QTest::qSleep(100);
      }
    }
    if (!seat) return 1;
    for (const PlannedTrial& trial : planTrials(study, mapping, seat->participant, seat->cell)) {
      const QString answer = sample::answerOf(protocol, trial, 0.6, random);
      here.answer(study, mapping, *seat, trial.index, answer);
      std::printf("%s %d %s\n", qPrintable(seat->participant), trial.index, qPrintable(answer));
      std::fflush(stdout);
      QTest::qSleep(8);
    }
  }
  for (int i = 0; !here.reconcile() && i < 300; ++i) QTest::qSleep(100);
  return here.waiting() == 0 ? 0 : 2;
}

}  // namespace

class ServerTest : public QObject {
  Q_OBJECT
  Server server_;
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
};

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList arguments = application.arguments();
  if (arguments.value(1) == QLatin1String("--station")) return station(arguments[2], arguments[3], arguments[4], arguments[5].toInt());
  ServerTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "server_test.moc"
