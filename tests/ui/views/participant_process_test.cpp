// quantspot --participant as a program of its own, on a screen of its own, driven by keys from outside and read from outside: what a
// cheating participant with a second terminal could read. Needs Xvfb, xdotool and xprop; skips without them.
#include "tests/study/postgres_server.h"
#include "tests/study/station_process.h"
#include "tests/ui/study_fixture.h"
#include "tests/ui/views/leak_channels.h"

#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QProcess>
#include <QSqlQuery>
#include <QStandardPaths>

#include <map>

using namespace quantspot;
using namespace sample;

namespace {

constexpr int kPeople = 4, kLearnt = 40, kTrials = 90;   // of each: 200 trials are guessed
constexpr int kBlankMs = 600, kMarginMs = 120;           // the program's grey, and until the pictures are surely there

Protocol spots(int trials = kTrials) {
  Protocol p = everyKind();
  p.before.clear(), p.after.clear(), p.consent_text.clear();
  p.practice = 0;
  Block block;
  block.slots = 2, block.trials = trials;
  p.blocks = {block};
  return p;
}

class Screen {
 public:
  Screen() {
    server_.start("Xvfb", {"-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"});
    if (server_.waitForStarted() && server_.waitForReadyRead(10000)) display_ = ":" + QString::fromLatin1(server_.readLine().trimmed());
  }
  ~Screen() {
    server_.terminate();
    if (!server_.waitForFinished(5000)) server_.kill(), server_.waitForFinished();
  }
  QString display() const { return display_; }
  QByteArray run(const QString& program, const QStringList& arguments) const {
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("DISPLAY", display_);
    process.setProcessEnvironment(environment);
    process.start(program, arguments);
    process.waitForFinished(10000);
    return process.readAllStandardOutput();
  }
  void key(const QString& name) const { keys({name}); }
  void keys(const QStringList& names) const { run("xdotool", QStringList{"key", "--clearmodifiers"} + names); }

 private:
  QProcess server_;
  QString display_;
};

class Participant {
 public:
  Participant(const Screen& screen, const StudyOnDisk& disk, const QByteArray& passphrase, const QString& station = "left",
      const QString& store = {}) {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("DISPLAY", screen.display());
    environment.insert("QT_QPA_PLATFORM", "xcb");
    QDir().mkpath(disk.folder.filePath("tmp"));
    environment.insert("TMPDIR", disk.folder.filePath("tmp"));           // whatever it puts there is read, too
    process.setProcessEnvironment(environment);
    process.start(QUANTSPOT, {"--participant", disk.study.hash().left(10), "--store", store.isEmpty() ? disk.store() : store,
                              "--data", disk.folder.filePath("data"), "--station", station, "--passphrase-stdin"});
    process.waitForStarted();
    process.write(passphrase + '\n');
    process.closeWriteChannel();
  }
  ~Participant() {
    process.terminate();
    if (!process.waitForFinished(5000)) process.kill(), process.waitForFinished();
  }
  // Empty when there is none after a minute: a busy machine takes its time to start a program.
  QByteArray window(const Screen& screen) const {
    QByteArray found;
    const auto seen = [&] { return !(found = screen.run("xdotool", {"search", "--onlyvisible", "--name", "QuantSpot"}).trimmed()).isEmpty(); };
    return QTest::qWaitFor(seen, 60000) ? found : QByteArray();
  }
  QByteArray complaint() { return "no window; state " + QByteArray::number(process.state()) + ", said: " + process.readAllStandardError(); }
  QProcess process;
};

int answered(const StudyOnDisk& disk) {
  Ledger ledger(disk.store());
  const QString hash = disk.study.hash();
  return static_cast<int>(ledger.answered(hash, ledger.seats(hash)[0].participant).size());
}

// All properties of all windows, as the X server tells them to every program.
cheat::Reading windows(const Screen& screen) {
  cheat::Reading reading;
  int number = 0;
  for (const QByteArray& id : screen.run("xdotool", {"search", "--name", "."}).split('\n'))
    if (!id.isEmpty()) {
      int line = 0;
      for (const QByteArray& property : screen.run("xprop", {"-id", id}).split('\n')) {
        if (property.contains("_NET_WM_USER_TIME") || property.contains("SYNC_REQUEST_COUNTER")) continue;   // moves by itself
        reading[QStringLiteral("%1 %2").arg(number).arg(line++)] = QString::fromUtf8(property);
      }
      ++number;
    }
  reading["windows"] = static_cast<double>(number);
  return reading;
}

// Work that the process did since the last look, in the kernel's words.
cheat::Reading work(qint64 process, QMap<QString, double>& before) {
  cheat::Reading reading;
  QFile stat(QStringLiteral("/proc/%1/stat").arg(process)), io(QStringLiteral("/proc/%1/io").arg(process));
  QMap<QString, double> now;
  if (stat.open(QIODevice::ReadOnly)) {
    const QByteArray all = stat.readAll();
    const auto fields = all.mid(all.lastIndexOf(')') + 2).split(' ');
    for (int field : {7, 9, 11, 12, 20, 21}) now[QStringLiteral("stat %1").arg(field)] = fields.value(field).toDouble();
  }
  if (io.open(QIODevice::ReadOnly))
    for (const QByteArray& line : io.readAll().split('\n'))
      if (line.contains(':')) now[QString::fromLatin1(line.split(':')[0])] = line.split(':')[1].trimmed().toDouble();
  for (auto it = now.begin(); it != now.end(); ++it) reading[it.key()] = *it - before.value(it.key());
  before = now;
  return reading;
}

// Somebody in front of a program of their own, who reads what lies beside it before each answer.
class Seated {
 public:
  Seated(const Protocol& protocol, const QString& name) : disk(protocol), name_(name), participant_(screen, disk, kPassphrase.toUtf8()) {}

  // To the first trial. Empty, or what went wrong.
  QString sit() {
    const QByteArray window = participant_.window(screen);
    if (window.isEmpty()) return QString::fromUtf8(participant_.complaint());
    screen.run("xdotool", {"windowfocus", "--sync", QString::fromLatin1(window.split('\n').last())});
    screen.key("Return");
    if (!QTest::qWaitFor([&] { return !Ledger(disk.store()).seats(disk.study.hash()).empty(); }, 10000)) return "nobody joined";
    screen.key("Return");
    since_.start();
    plan_ = disk.plan(Ledger(disk.store()).seats(disk.study.hash())[0].participant);
    return {};
  }
  void readAndAnswer(int trial) {
    if (const auto left = kBlankMs + kMarginMs - since_.elapsed(); left > 0) QTest::qWait(static_cast<int>(left));
    trials.push_back({name_, plan_[static_cast<std::size_t>(trial)].truth == "B", read()});
    screen.keys({"a", "Return"});
    since_.start();
  }
  // On a busy machine the keys may come before the pictures, and are not taken.
  bool stored(int answers) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      if (QTest::qWaitFor([&] { return answered(disk) == answers; }, 5000)) return true;
      screen.keys({"a", "Return"});
      since_.start();
    }
    return false;
  }

 private:
  QMap<QString, cheat::Reading> read() {
    const qint64 process = participant_.process.processId();
    const QStringList folders{disk.folder.path()};
    return {{"windows", windows(screen)}, {"files", cheat::files(folders)}, {"file sizes", cheat::fileSizes(folders)},
            {"file times", cheat::fileTimes(folders, begun_)}, {"picture texts", cheat::pictureTexts(folders)},
            {"picture exif", cheat::pictureExif(folders)},
            {"bytes", cheat::bytes(folders, disk.study.protocol().variants)}, {"database", cheat::database(disk.store())},
            {"environment", cheat::environment(process)}, {"processes", cheat::processes(process)}, {"process names", cheat::processNames(process)},
            {"child environments", cheat::childEnvironments(process)}, {"open files", cheat::openFiles(process)}, {"work", work(process, before_)}};
  }

 public:
  const Screen screen;
  StudyOnDisk disk;
  std::vector<cheat::Trial> trials;

 private:
  const QString name_;
  Participant participant_;
  std::vector<PlannedTrial> plan_;
  const QDateTime begun_ = QDateTime::currentDateTime();
  QMap<QString, double> before_;
  QElapsedTimer since_;
};

// Somebody at a window whose store is a server, told apart by the window's journal.
class AtServer {
 public:
  AtServer(const StudyOnDisk& disk, const QString& url, const QString& station)
      : disk_(disk), url_(url), station_(station), participant_(screen_, disk, kPassphrase.toUtf8(), station, url) {}

  QString sit(const std::set<QString>& others) {
    const QByteArray window = participant_.window(screen_);
    if (window.isEmpty()) return QString::fromUtf8(participant_.complaint());
    screen_.run("xdotool", {"windowfocus", "--sync", QString::fromLatin1(window.split('\n').last())});
    screen_.key("Return");
    const auto joined = [&] {
      for (const ChainRecord& record : Ledger(url_).chain(disk_.study.hash()))
        if (record.json()["kind"] == "join" && record.json()["station"] == station_ && !others.contains(record.json()["participant"].toString()))
          code_ = record.json()["participant"].toString();
      return !code_.isEmpty();
    };
    if (!QTest::qWaitFor(joined, 15000)) return "nobody joined";
    screen_.key("Return");
    return {};
  }
  QString code() const { return code_; }
  void answer(const QString& key) {
    QTest::qWait(kBlankMs + 2 * kMarginMs);
    screen_.keys({key, "Return"});
    keys << key.toUpper();
  }
  // Entries of the journal that the server has not got.
  int waiting() const {
    int count = -1;
    {
      QSqlDatabase journal = QSqlDatabase::addDatabase("QSQLITE", "waiting");
      journal.setDatabaseName(disk_.folder.filePath("data/stations/station-" + station_ + ".sqlite"));
      journal.setConnectOptions("QSQLITE_OPEN_READONLY");
      QSqlQuery query(journal.open() ? journal : QSqlDatabase());
      if (query.exec("SELECT count(*) FROM entries WHERE refused IS NULL") && query.next()) count = query.value(0).toInt();
    }
    QSqlDatabase::removeDatabase("waiting");
    return count;
  }
  QStringList keys;

 private:
  const Screen screen_;
  const StudyOnDisk& disk_;
  QString url_, station_, code_;
  Participant participant_;
};

// What the server has of one person, trial by trial; "twice" where a trial has two answers.
QStringList answersAt(const QString& url, const QString& hash, const QString& participant) {
  QMap<int, QString> found;
  for (const ChainRecord& record : Ledger(url).chain(hash)) {
    const QJsonObject json = record.json();
    if (json["kind"] != "response" || json["participant"] != participant) continue;
    const int trial = json["trial"].toInt();
    found[trial] = found.contains(trial) ? QStringLiteral("twice") : json["answer"].toString();
  }
  return found.values();
}

}  // namespace

class ParticipantProcessTest : public QObject {
  Q_OBJECT

  void cheatOnce(std::set<QString>& leaking) {
    std::vector<std::unique_ptr<Seated>> people;
    for (int i = 0; i < kPeople; ++i) people.push_back(std::make_unique<Seated>(spots(), QStringLiteral("person %1").arg(i)));
    for (auto& person : people) {
      const QString problem = person->sit();
      QVERIFY2(problem.isEmpty(), qPrintable(problem));
    }
    for (int trial = 0; trial < kTrials; ++trial) {
      for (auto& person : people) person->readAndAnswer(trial);
      for (auto& person : people) QVERIFY2(person->stored(trial + 1), qPrintable(QStringLiteral("answer %1 was not stored").arg(trial)));
    }
    std::vector<cheat::Trial> trials;
    for (auto& person : people) {
      QVERIFY(person->disk.responses().problems.isEmpty());
      trials.insert(trials.end(), person->trials.begin(), person->trials.end());
    }
    for (const cheat::Verdict& verdict : cheat::judge(trials, kLearnt)) {
      qInfo("%s: %d of %d, Holm %.3g", qPrintable(verdict.channel), verdict.right, verdict.trials, verdict.p_holm);
      QCOMPARE(verdict.trials, 200);
      if (verdict.leaks()) leaking.insert(verdict.channel.section(QStringLiteral(" ("), 0, 0));
    }
  }

 private Q_SLOTS:
  void initTestCase() {
    for (const char* tool : {"Xvfb", "xdotool", "xprop"})
      if (QStandardPaths::findExecutable(tool).isEmpty()) QSKIP(qPrintable(QStringLiteral("%1 is not installed").arg(tool)));
  }

  // The whole way by the keyboard, with a second terminal open beside it; four people at four screens at once, since most of the time is waiting. A second
  // run where the first suspects something: what leaks, leaks in both.
  void aCheatBesideTheProgramStaysAtChance() {
    std::set<QString> suspected, again;
    cheatOnce(suspected);
    if (QTest::currentTestFailed() || suspected.empty()) return;
    cheatOnce(again);
    QStringList leaks;
    for (const QString& channel : suspected)
      if (again.count(channel)) leaks << channel;
    QVERIFY2(leaks.isEmpty(), qPrintable(leaks.join(", ")));
  }

  void nothingOutsideHoldsThePassphraseOrTheMapping() {
    const Screen screen;
    StudyOnDisk disk(spots());
    fillHistory(disk.folder.filePath("data/study.sqlite"), disk.study.protocol());
    const QString shown = ui::pixelHash(QImage::fromData(realPng(0, 3)).convertToFormat(QImage::Format_RGB888));
    QCOMPARE(cheat::namesOf(shown, {disk.folder.path()}).section(u'/', 0, 0), QStringLiteral("bnb-nf4"));
    Participant participant(screen, disk, kPassphrase.toUtf8());
    QVERIFY2(!participant.window(screen).isEmpty(), participant.complaint());
    QTRY_COMPARE_WITH_TIMEOUT(cheat::namesOf(shown, {disk.folder.path()}), QString(), 20000);   // the history beside it is sealed
    const qint64 process = participant.process.processId();
    QByteArray outside;
    for (const auto& channel : {cheat::environment(process), cheat::processes(process), cheat::openFiles(process), windows(screen)})
      for (const QVariant& value : channel) outside += value.toString().toUtf8() + '\n';
    for (const QFileInfo& info : cheat::filesBelow({disk.folder.path()})) {
      QFile file(info.filePath());
      QVERIFY(file.open(QIODevice::ReadOnly));
      outside += file.readAll();
    }
    QVERIFY(!outside.contains(kPassphrase.toUtf8()));
    QVERIFY(!outside.contains(disk.mapping.salt) && !outside.contains(disk.mapping.salt.toHex()));
    QVERIFY(!outside.contains(disk.mapping.text()));
    QVERIFY(outside.contains("bnb-nf4"));                              // the protocol names the variants: the search finds what is there
  }

  // Killed in the middle: what was stored stays, and the participant goes on.
  void killedAndStartedAgain() {
    awayFromMidnight();
    const Screen screen;
    StudyOnDisk disk(spots());
    {
      Participant participant(screen, disk, kPassphrase.toUtf8());
      const QByteArray window = participant.window(screen);
      QVERIFY2(!window.isEmpty(), participant.complaint());
      screen.run("xdotool", {"windowfocus", "--sync", QString::fromLatin1(window.split('\n').last())});
      screen.key("Return");
      QTRY_VERIFY_WITH_TIMEOUT(!Ledger(disk.store()).seats(disk.study.hash()).empty(), 10000);
      screen.key("Return");
      for (int i = 0; i < 3; ++i) {
        QTest::qWait(kBlankMs + 2 * kMarginMs);
        screen.key("b"), screen.key("Return");
        QTRY_COMPARE_WITH_TIMEOUT(answered(disk), i + 1, 5000);
      }
      participant.process.kill();
      participant.process.waitForFinished();
    }
    const QString code = Ledger(disk.store()).seats(disk.study.hash())[0].participant;
    ParticipantSession::Place place = disk.place("left");
    place.folder = disk.folder.filePath("data/stations");
    ParticipantSession again(place);
    QVERIFY2(opens(again), qPrintable(again.message()));  // the dead window's lock is no obstacle
    again.resume(code);
    QVERIFY(toTrial(again));
    QCOMPARE(again.trial().number, 4);
  }

  // The server falls in the middle of somebody's trials, and comes back: the window goes on, nothing is lost, nothing is there twice.
  void aWindowAnswersIntoAServerThatFalls() {
    PostgresServer server;
    if (const QString reason = server.start(); !reason.isEmpty()) QSKIP(qPrintable(reason));
    StudyOnDisk disk(spots(12));
    const QString hash = disk.study.hash();
    Ledger(server.url()).addStudy(disk.study);
    AtServer somebody(disk, server.url(), "left");
    const QString problem = somebody.sit({});
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    const auto at = [&] { return answersAt(server.url(), hash, somebody.code()); };
    for (int i = 0; i < 4; ++i) {
      somebody.answer(i % 2 ? "b" : "a");
      QTRY_COMPARE_WITH_TIMEOUT(at().size(), i + 1, 10000);
    }
    server.control("stop", "immediate");
    for (int i = 0; i < 4; ++i) {
      somebody.answer(i % 3 ? "a" : "b");
      QTRY_COMPARE_WITH_TIMEOUT(somebody.waiting(), i + 1, 10000);     // on this computer
    }
    QVERIFY(server.again());
    for (int i = 0; i < 2; ++i) somebody.answer("b");
    QTRY_COMPARE_WITH_TIMEOUT(at().size(), 10, 40000);
    {
      Connection keeper(server.url());                                 // the connection alone is cut
      QVERIFY(QSqlQuery(keeper.database()).exec(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'study'"));
    }
    for (int i = 0; i < 2; ++i) somebody.answer("a");
    QTRY_COMPARE_WITH_TIMEOUT(at(), somebody.keys, 40000);
    QTRY_COMPARE_WITH_TIMEOUT(somebody.waiting(), 0, 10000);
    Ledger ledger(server.url());
    const auto chain = ledger.chain(hash);
    QVERIFY(chainProblems(hash.toLatin1(), chain, ledger.head(hash)).isEmpty());
    QVERIFY(collect(disk.study.protocol(), hash, disk.mapping, chain).problems.isEmpty());
    const QJsonObject screen = chain.back().json()["screen"].toObject();
    for (const char* fact : {"width", "height", "pixel_ratio", "logical_dpi", "physical_dpi", "refresh_hz", "monitor", "zoom"})
      QVERIFY2(screen[QLatin1String(fact)].isDouble(), fact);
    QVERIFY(screen["width"].toInt() == 1280 && screen["height"].toInt() == 800 && screen["zoom"].toDouble() > 1);
  }

  // Eight stations without a window and two with one, into one server that falls and whose connections are cut.
  void eightStationsAndTwoWindowsLoseNothing() {
    PostgresServer server;
    if (const QString reason = server.start(); !reason.isEmpty()) QSKIP(qPrintable(reason));
    constexpr int kEach = 12;
    StudyOnDisk disk(spots(kEach));
    const QString hash = disk.study.hash(), url = server.url();
    Ledger(url).addStudy(disk.study);
    std::vector<std::unique_ptr<AtServer>> windows;
    std::set<QString> seated;
    for (const char* name : {"left", "right"}) windows.push_back(std::make_unique<AtServer>(disk, url, name));
    for (auto& window : windows) {
      const QString problem = window->sit(seated);
      QVERIFY2(problem.isEmpty(), qPrintable(problem));
      seated.insert(window->code());
    }
    std::vector<std::unique_ptr<QProcess>> stations;
    for (int i = 0; i < 8; ++i) {
      stations.push_back(std::make_unique<QProcess>());
      stations.back()->start(QCoreApplication::applicationFilePath(),
          {"--station", url, disk.folder.filePath(QStringLiteral("journal%1.sqlite").arg(i)), hash, QString::number(i)});
    }
    for (auto& process : stations) QVERIFY(process->waitForReadyRead(60000));
    for (int i = 0; i < kEach; ++i) {
      for (auto& window : windows) window->answer(i % 2 ? "a" : "b");
      if (i == 2) {
        Connection keeper(url);
        QVERIFY(QSqlQuery(keeper.database()).exec(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'study'"));
      }
      if (i == 5) server.control("stop", "immediate");
      if (i == 6) QVERIFY(server.again());
    }
    std::map<std::pair<QString, int>, QString> acknowledged, stored;
    for (auto& process : stations) {
      QVERIFY(process->state() == QProcess::NotRunning || process->waitForFinished(120000));
      QCOMPARE(process->exitCode(), 0);
      for (const QByteArray& line : process->readAllStandardOutput().split('\n'))
        if (const auto parts = line.split(' '); parts.size() == 3) acknowledged[{parts[0], parts[1].toInt()}] = parts[2];
    }
    QCOMPARE(acknowledged.size(), std::size_t(8 * 3 * kEach));
    for (auto& window : windows) QTRY_COMPARE_WITH_TIMEOUT(answersAt(url, hash, window->code()), window->keys, 40000);
    Ledger ledger(url);
    const auto chain = ledger.chain(hash);
    QVERIFY(chainProblems(hash.toLatin1(), chain).isEmpty());
    QVERIFY(collect(disk.study.protocol(), hash, disk.mapping, chain).problems.isEmpty());   // among them: no trial answered twice
    for (const ChainRecord& record : chain) {
      const QJsonObject json = record.json();
      if (json["kind"] == "response" && !seated.contains(json["participant"].toString()))
        QVERIFY(stored.emplace(std::pair(json["participant"].toString(), json["trial"].toInt()), json["answer"].toString()).second);
    }
    QCOMPARE(stored, acknowledged);
    QSet<int> cells;
    for (const Seat& seat : ledger.seats(hash)) cells << seat.cell;
    QCOMPARE(cells.size(), 8 * 3 + 2);
  }

  // Two monitors, each with a profile of its own: what is logged is that of the one that the window is on.
  void theProfileOfTheWindowsMonitorIsLogged() {
    if (QStandardPaths::findExecutable("xrandr").isEmpty()) QSKIP("xrandr is not installed");
    const Screen screen;
    screen.run("xrandr", {"--setmonitor", "first", "500/130x800/200+0+0", "screen"});
    screen.run("xrandr", {"--setmonitor", "second", "780/200x800/200+500+0", "none"});
    const auto monitors = screen.run("xrandr", {"--listmonitors"});
    QVERIFY2(monitors.contains("500/130x800") && monitors.contains("780/200x800"), monitors.constData());
    screen.run("xprop", {"-root", "-f", "_ICC_PROFILE", "8s", "-set", "_ICC_PROFILE", "profile of the first"});
    screen.run("xprop", {"-root", "-f", "_ICC_PROFILE_1", "8s", "-set", "_ICC_PROFILE_1", "profile of the second"});
    StudyOnDisk disk(spots(4));
    Participant participant(screen, disk, kPassphrase.toUtf8());
    const QByteArray window = participant.window(screen);
    QVERIFY2(!window.isEmpty(), participant.complaint());
    const QString id = QString::fromLatin1(window.split('\n').last());
    screen.run("xdotool", {"windowfocus", "--sync", id});
    screen.key("Return");
    QTRY_VERIFY_WITH_TIMEOUT(!Ledger(disk.store()).seats(disk.study.hash()).empty(), 10000);
    screen.key("Return");
    const std::pair<const char*, const char*> places[] = {{"0", "profile of the first"}, {"520", "profile of the second"}};
    int answers = 0;
    for (const auto& [x, profile] : places) {
      screen.run("xdotool", {"windowsize", "--sync", id, "640", "700"});
      screen.run("xdotool", {"windowmove", "--sync", id, x, "0"});
      QTest::qWait(kBlankMs + 2 * kMarginMs);
      screen.keys({"a", "Return"});
      ++answers;
      QTRY_COMPARE_WITH_TIMEOUT(answered(disk), answers, 10000);
      const QJsonObject facts = disk.records("response").back()["screen"].toObject();
      QCOMPARE(facts["monitor"].toInt(), answers - 1);
      QCOMPARE(facts["icc_sha256"].toString().toLatin1(), QCryptographicHash::hash(profile, QCryptographicHash::Sha256).toHex());
    }
  }
};

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList arguments = application.arguments();
  if (arguments.value(1) == QLatin1String("--station")) return station(arguments[2], arguments[3], arguments[4], arguments[5].toInt());
  ParticipantProcessTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "participant_process_test.moc"
