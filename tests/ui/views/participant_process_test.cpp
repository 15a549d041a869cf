// quantspot --participant as a program of its own, on a screen of its own, driven by keys from outside and read from outside: what a
// cheating participant with a second terminal could read. Needs Xvfb, xdotool and xprop; skips without them.
#include "tests/ui/study_fixture.h"
#include "tests/ui/views/leak_channels.h"

#include <QElapsedTimer>
#include <QProcess>
#include <QStandardPaths>

using namespace quantspot;
using namespace sample;

namespace {

constexpr int kLearnt = 40, kTrials = 240;
constexpr int kBlankMs = 600, kMarginMs = 120;           // the program's grey, and until the pictures are surely there

Protocol spots() {
  Protocol p = everyKind();
  p.before.clear(), p.after.clear(), p.consent_text.clear();
  p.practice = 0;
  Block block;
  block.slots = 2, block.trials = kTrials;
  p.blocks = {block};
  return p;
}

class Screen {
 public:
  Screen() {
    server_.start("Xvfb", {"-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"});
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
  void key(const QString& name) const { run("xdotool", {"key", "--clearmodifiers", name}); }

 private:
  QProcess server_;
  QString display_;
};

class Participant {
 public:
  Participant(const Screen& screen, const StudyOnDisk& disk, const QByteArray& passphrase, const QString& station = "left") {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("DISPLAY", screen.display());
    environment.insert("QT_QPA_PLATFORM", "xcb");
    process.setProcessEnvironment(environment);
    process.start(QUANTSPOT, {"--participant", disk.study.hash().left(10), "--store", disk.store(), "--data", disk.folder.filePath("data"),
                              "--station", station, "--passphrase-stdin"});
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

}  // namespace

class ParticipantProcessTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    for (const char* tool : {"Xvfb", "xdotool", "xprop"})
      if (QStandardPaths::findExecutable(tool).isEmpty()) QSKIP(qPrintable(QStringLiteral("%1 is not installed").arg(tool)));
  }

  // The whole way by the keyboard, with a second terminal open beside it.
  void aCheatBesideTheProgramStaysAtChance() {
    const Screen screen;
    QVERIFY(!screen.display().isEmpty());
    StudyOnDisk disk(spots());
    Participant participant(screen, disk, kPassphrase.toUtf8());
    const QByteArray window = participant.window(screen);
    QVERIFY2(!window.isEmpty(), participant.complaint());
    screen.run("xdotool", {"windowfocus", "--sync", QString::fromLatin1(window.split('\n').last())});
    screen.key("Return");
    QTRY_VERIFY_WITH_TIMEOUT(!Ledger(disk.store()).seats(disk.study.hash()).empty(), 10000);
    screen.key("Return");
    const qint64 process = participant.process.processId();
    const auto plan = disk.plan(Ledger(disk.store()).seats(disk.study.hash())[0].participant);
    QCOMPARE(plan.size(), std::size_t(kTrials));
    const QStringList folders{disk.folder.path()};
    const QDateTime begun = QDateTime::currentDateTime();
    QMap<QString, double> before;
    std::vector<cheat::Trial> trials;
    for (const PlannedTrial& planned : plan) {
      QTest::qWait(kBlankMs + kMarginMs);
      cheat::Trial trial{"spot", planned.truth == "B", {}};
      trial.channels = {{"windows", windows(screen)}, {"files", cheat::files(folders, begun)}, {"bytes", cheat::bytes(folders, disk.study.protocol().variants)},
                        {"database", cheat::database(disk.store())}, {"environment", cheat::environment(process)}, {"processes", cheat::processes(process)},
                        {"open files", cheat::openFiles(process)}, {"work", work(process, before)}};
      trials.push_back(std::move(trial));
      const int answers = static_cast<int>(trials.size());
      bool stored = false;
      for (int attempt = 0; attempt < 3 && !stored; ++attempt) {       // on a busy machine the keys may come before the pictures, and are not taken
        screen.key("a"), screen.key("Return");
        stored = QTest::qWaitFor([&] { return answered(disk) == answers; }, 5000);
      }
      QVERIFY2(stored, qPrintable(QStringLiteral("answer %1 was not stored").arg(answers)));
    }
    QVERIFY(disk.responses().problems.isEmpty());
    QStringList leaks;
    for (const cheat::Verdict& verdict : cheat::judge(trials, kLearnt)) {
      qInfo("%s: %d of %d, Holm %.3g", qPrintable(verdict.channel), verdict.right, verdict.trials, verdict.p_holm);
      QCOMPARE(verdict.trials, 200);
      if (verdict.leaks()) leaks << verdict.channel;
    }
    QVERIFY2(leaks.isEmpty(), qPrintable(leaks.join(", ")));
  }

  void nothingOutsideHoldsThePassphraseOrTheMapping() {
    const Screen screen;
    StudyOnDisk disk(spots());
    Participant participant(screen, disk, kPassphrase.toUtf8());
    QVERIFY2(!participant.window(screen).isEmpty(), participant.complaint());
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
    QVERIFY2(again.unlock(kPassphrase), qPrintable(again.message()));  // the dead window's lock is no obstacle
    again.resume(code);
    QVERIFY(toTrial(again));
    QCOMPARE(again.trial().number, 4);
  }
};

QTEST_GUILESS_MAIN(ParticipantProcessTest)
#include "participant_process_test.moc"
