// The leak test: a participant who reads everything but the pixels stays at chance; and planted leaks are found, each in its channel.
#include "tests/ui/study_fixture.h"
#include "tests/ui/views/leak_channels.h"
#include "ui/views/image_grid.h"
#include "ui/views/ranking_strip.h"
#include "ui/views/participant_window.h"
#include "ui/views/theme.h"
#include "ui/views/trial_page.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QListWidget>
#include <QProcess>
#include <QSqlRecord>

#include <csignal>
#include <ctime>
#include <sys/prctl.h>
#include <sys/wait.h>

using namespace quantspot;
using namespace quantspot::views;
using namespace sample;

namespace {

constexpr int kLearnt = 40, kPerKind = 110;              // of three kinds: 210 trials are guessed
const QStringList kChannels{"accessibility", "bytes", "child environments", "clipboard", "database", "drags", "environment", "file sizes",
    "file times", "files", "lookup", "open files", "picture exif", "picture texts", "pictures", "process names", "processes",
    "timing", "titles", "widgets"};

// Kinds with two answers, so that each guess is right in half of the trials by chance.
Protocol twoAnswers() {
  Protocol p = everyKind();
  p.blocks.clear();
  p.before.clear(), p.after.clear();
  p.practice = 2;
  for (TrialKind kind : {TrialKind::Spot, TrialKind::Abx, TrialKind::SameDifferent}) {
    Block block;
    block.kind = kind, block.slots = 2, block.trials = kPerKind;
    p.blocks.push_back(block);
  }
  return p;
}

// Paints of the pictures since the trial began, and how long each trial took to appear.
class Stopwatch : public QObject {
 public:
  explicit Stopwatch(QWidget* watched) : watched_(watched) { watched->installEventFilter(this); }
  void restart() { since_.start(), cpu_ = std::clock(), paints_ = 0, first_ = last_ = 0; }
  cheat::Reading reading() const {
    return {{"appeared", static_cast<double>(since_.nsecsElapsed()) / 1e6}, {"first paint", first_}, {"last paint", last_},
            {"paints", static_cast<double>(paints_)}, {"cpu", static_cast<double>(std::clock() - cpu_)}};
  }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (watched == watched_ && event->type() == QEvent::Paint) {
      last_ = static_cast<double>(since_.nsecsElapsed()) / 1e6;
      if (paints_++ == 0) first_ = last_;
    }
    return false;
  }

 private:
  QWidget* watched_;
  QElapsedTimer since_;
  std::clock_t cpu_ = 0;
  int paints_ = 0;
  double first_ = 0, last_ = 0;
};

using Leak = std::function<void(class Cheater&, const PlannedTrial&)>;   // what a careless program would do with a trial on screen

class Cheater {
 public:
  // The history holds the study's pictures under their names; who does not seal it leaves them to be looked up.
  enum class History { Sealed, Open };
  explicit Cheater(History history = History::Sealed)
      : disk(twoAnswers()), session(place(history)), window(&session), watch(window.trial()->grid()) {
    fillHistory(disk.store(), disk.study.protocol());
    window.resize(1000, 700);
    window.show();
  }

  // Goes through the whole study; before each answer `leak` happens (or nothing), and then everything is read.
  std::vector<cheat::Trial> run(const Leak& leak = {}, const std::function<void(const PlannedTrial&)>& before_trial = {}) {
    std::vector<cheat::Trial> trials;
    if (!opens(session)) qFatal("cannot unlock");
    session.begin(), session.agree();
    const auto plan = disk.plan(session.code());
    const QDateTime begun = QDateTime::currentDateTime();
    for (const PlannedTrial& planned : plan) {
      if (before_trial) before_trial(planned);
      if (!toTrial(session)) qFatal("no trial");
      QCoreApplication::processEvents();
      if (planned.role == TrialRole::Main) {
        if (leak) leak(*this, planned);
        cheat::Trial trial{kindName(planned.kind), planned.truth == "B" || planned.truth == "different", {}};
        trial.channels = read(begun);
        trials.push_back(std::move(trial));
      }
      watch.restart();
      QTest::keyClick(window.trial(), planned.kind == TrialKind::SameDifferent ? Qt::Key_S : Qt::Key_A);
      QTest::keyClick(window.trial(), Qt::Key_Return);
    }
    return trials;
  }

  QMap<QString, cheat::Reading> read(const QDateTime& begun) {
    const qint64 own = QCoreApplication::applicationPid();
    const QStringList folders{QDir::tempPath()};         // of this test alone; the study lies below it, too
    return {{"timing", watch.reading()}, {"widgets", cheat::widgets(&window)}, {"accessibility", cheat::accessibility(&window)},
            {"titles", cheat::titles()}, {"clipboard", cheat::clipboard()}, {"drags", cheat::drags(&window)}, {"files", cheat::files(folders)},
            {"file sizes", cheat::fileSizes(folders)}, {"file times", cheat::fileTimes(folders, begun)},
            {"picture texts", cheat::pictureTexts(folders)}, {"picture exif", cheat::pictureExif(folders)},
            {"bytes", cheat::bytes(folders, disk.study.protocol().variants)}, {"database", cheat::database(disk.store())},
            {"environment", cheat::environment(own)}, {"processes", cheat::processes(own)}, {"process names", cheat::processNames(own)},
            {"child environments", cheat::childEnvironments(own)}, {"open files", cheat::openFiles(own)}, {"pictures", pictures()},
            {"lookup", cheat::lookup(session.trial().pictures, folders)}};
  }

  // What an image object says beside its pixels.
  cheat::Reading pictures() const {
    cheat::Reading reading;
    const auto& all = session.trial().pictures;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const QString slot = QString::number(i);
      reading[slot + " format"] = QString::number(all[i].format());
      reading[slot + " bytes"] = static_cast<double>(all[i].sizeInBytes());
      reading[slot + " dots"] = static_cast<double>(all[i].dotsPerMeterX());
      reading[slot + " texts"] = all[i].textKeys().join(u',') + all[i].text();
      reading[slot + " same object"] = QString::number(all[i].cacheKey() == all[0].cacheKey());
      reading[slot + " key"] = static_cast<double>(all[i].cacheKey() - all[0].cacheKey());
      reading[slot + " depth"] = QString::number(all[i].depth() + all[i].colorCount());
    }
    return reading;
  }

  StudyOnDisk disk;
  ParticipantSession session;
  ParticipantWindow window;
  Stopwatch watch;

 private:
  ParticipantSession::Place place(History history) const {
    ParticipantSession::Place p = disk.place();
    if (history == History::Sealed) p.history = disk.store();
    p.blank_ms = 25;                                     // above what decoding takes here
    return p;
  }
};

QString said(const cheat::Verdict& v) {
  return QStringLiteral("%1: %2 of %3, p %4, Holm %5").arg(v.channel).arg(v.right).arg(v.trials).arg(v.p, 0, 'g', 3).arg(v.p_holm, 0, 'g', 3);
}

std::set<QString> leaking(const std::vector<cheat::Verdict>& verdicts) {
  std::set<QString> channels;
  for (const cheat::Verdict& verdict : verdicts)
    if (verdict.leaks()) channels.insert(verdict.channel.section(QStringLiteral(" ("), 0, 0));
  return channels;
}

// Children of a careless program: one tells by its arguments, one by its name alone, one by its environment alone.
class Children {
 public:
  ~Children() { end(); }
  void start(bool second) {
    end();
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.remove("QS_CURRENT");                    // told elsewhere
    by_arguments_.setProcessEnvironment(environment);
    environment.insert("QS_SHOWN", second ? "pair" : "twin");
    by_environment_.setProcessEnvironment(environment);
    by_arguments_.start("sleep", {second ? "3600.2" : "3600.1"});
    if (!by_arguments_.waitForStarted()) qFatal("no child");
    by_name_ = ::fork();
    if (by_name_ == 0) {
      ::prctl(PR_SET_NAME, second ? "pair" : "twin");
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    by_environment_.start("sleep", {"3600"});
    if (by_name_ < 0 || !by_environment_.waitForStarted()) qFatal("no child");
  }

 private:
  void end() {
    if (by_name_ > 0) ::kill(by_name_, SIGKILL), ::waitpid(by_name_, nullptr, 0);
    by_name_ = -1;
    for (QProcess* process : {&by_arguments_, &by_environment_})
      if (process->state() != QProcess::NotRunning) process->kill(), process->waitForFinished();
  }

  QProcess by_arguments_, by_environment_;
  pid_t by_name_ = -1;
};

void write(const QString& path, const QByteArray& bytes) {
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) qFatal("no file");
}

// Pictures on disk that tell by their text, their EXIF, their time, and nothing else.
void writePictures(const QString& folder, bool second) {
  QImage picture(8, 8, QImage::Format_RGB32);
  picture.fill(Qt::gray);
  picture.setText("shown", second ? "pair" : "twin");
  if (!picture.save(folder + "/texts.png")) qFatal("no file");
  const QByteArray exif = QByteArray("Exif\0\0", 6) + (second ? "pair" : "twin");
  write(folder + "/exif.jpg", QByteArray("\xFF\xD8\xFF\xE1\0", 5) + static_cast<char>(exif.size() + 2) + exif + "\xFF\xD9");
  write(folder + "/time.png", "a picture");
  QFile time(folder + "/time.png");
  const QDateTime when(QDate(2024, 1, second ? 2 : 1), QTime(0, 0));
  if (!time.open(QIODevice::ReadWrite) || !time.setFileTime(when, QFileDevice::FileModificationTime)) qFatal("no time");
}

bool second(const PlannedTrial& trial) { return trial.truth == "B" || trial.truth == "different"; }

}  // namespace

class LeakTest : public QObject {
  Q_OBJECT
  QTemporaryDir temporary_;

 private Q_SLOTS:
  void initTestCase() {
    applyTheme(*qApp, false);
    qputenv("TMPDIR", temporary_.path().toLocal8Bit());                // whatever is put there during a trial is read
  }

  // Two runs, because one in a hundred finds something by chance: what leaks, leaks in both.
  void aCheatingParticipantStaysAtChance() {
    std::set<QString> suspected;
    for (int run = 0; run < 2; ++run) {
      Cheater cheater;
      const auto verdicts = cheat::judge(cheater.run(), kLearnt);
      std::set<QString> now = leaking(verdicts), both;
      for (const cheat::Verdict& verdict : verdicts) {
        qInfo("%s", qPrintable(said(verdict)));
        QVERIFY(verdict.trials >= 200);
      }
      std::set_intersection(now.begin(), now.end(), suspected.begin(), suspected.end(), std::inserter(both, both.end()));
      suspected = run == 0 ? now : both;
      if (suspected.empty()) break;
    }
    QVERIFY2(suspected.empty(), qPrintable(QStringList(suspected.begin(), suspected.end()).join(", ")));
    QCOMPARE(Cheater().read(QDateTime::currentDateTime()).keys(), kChannels);
  }

  // What a careless program might do, all at once; each must be found where it is.
  void plantedLeaksAreFound() {
    Cheater cheater(Cheater::History::Open);                                                    // lookup
    Children children;
    QFile open(cheater.disk.folder.filePath("cache.bin"));
    const Leak careless = [&](Cheater& c, const PlannedTrial& trial) {
      const QString tested = trial.shown[0] + u'|' + trial.shown[1];
      c.window.trial()->grid()->setToolTip(tested);                                             // widgets
      c.window.trial()->grid()->setAccessibleDescription(tested);                               // accessibility
      c.window.setWindowTitle(QStringLiteral("QuantSpot") + (second(trial) ? " " : ""));        // titles
      QGuiApplication::clipboard()->setText(second(trial) ? "pair" : "twins");                  // clipboard
      qputenv("QS_CURRENT", second(trial) ? "1" : "0");                                         // environment
      children.start(second(trial));                                                            // processes, process names, child environments
      writePictures(c.disk.folder.path(), second(trial));                                       // picture texts, picture exif, file times
      auto* list = c.window.trial()->ranking()->findChild<QListWidget*>();                      // drags: data of an item that could be dragged
      list->clear();
      list->addItem("A");
      list->item(0)->setData(Qt::UserRole, second(trial));
      const_cast<QImage&>(c.session.trial().pictures[0]).setDotsPerMeterX(second(trial) ? 3000 : 2835);   // pictures: of the object in memory
      QFile thumbnail(c.disk.folder.filePath("thumbnail.png"));                                 // files: the size alone
      if (!thumbnail.open(QIODevice::WriteOnly)) qFatal("no file");
      thumbnail.write(QByteArray(second(trial) ? 700 : 500, 'x'));
      if (!open.isOpen() && !open.open(QIODevice::ReadWrite)) qFatal("no file");                // open files: the position alone
      open.resize(100), open.seek(second(trial) ? 90 : 10);
      QFile log(c.disk.folder.filePath("log.txt"));                                             // bytes
      if (!log.open(QIODevice::WriteOnly)) qFatal("no file");
      log.write(QByteArray("shows ") + (second(trial) ? "bnb-nf4" : "bf16   "));
      QSqlDatabase database = QSqlDatabase::addDatabase("QSQLITE", "careless");                 // database
      database.setDatabaseName(c.disk.store());
      if (!database.open()) qFatal("no database");
      QSqlQuery(database).exec("CREATE TABLE IF NOT EXISTS current (slot INTEGER)");
      QSqlQuery(database).exec("DELETE FROM current");
      QSqlQuery(database).exec(QStringLiteral("INSERT INTO current VALUES (%1)").arg(second(trial)));
      database = {};
      QSqlDatabase::removeDatabase("careless");
    };
    const auto slow = [&](const PlannedTrial& trial) { if (second(trial)) QThread::msleep(60); };   // timing: one kind takes longer
    const auto verdicts = cheat::judge(cheater.run(careless, slow), kLearnt);
    for (const cheat::Verdict& verdict : verdicts) qInfo("%s", qPrintable(said(verdict)));
    const std::set<QString> found = leaking(verdicts);
    for (const QString& channel : kChannels)
      if (channel != "files") QVERIFY2(found.count(channel), qPrintable(channel));
    QVERIFY(!found.count("files"));                      // names and number of files tell nothing, and nothing is found
    qunsetenv("QS_CURRENT");
    QGuiApplication::clipboard()->clear();
  }

  // A leak in seven of ten trials is enough to be found, and noise is not.
  void theJudgeHasPowerAndNoBias() {
    quantspot::statistics::Random random(7);
    std::vector<cheat::Trial> trials;
    double written = 0;
    for (int i = 0; i < 3 * kPerKind; ++i) {
      cheat::Trial trial{QString::number(i % 3), static_cast<int>(random.below(2)), {}};
      const auto faint = [&] { return random.uniform() < 0.75 ? trial.truth : 1 - trial.truth; };
      cheat::Reading text, number, counter, noise;
      counter["a"] = written += 4096 + 16 * trial.truth;
      text["a"] = QString::number(faint());
      number["a"] = faint() + random.uniform() * 0.9;
      for (int j = 0; j < 200; ++j) {
        noise[QString::number(j)] = random.uniform();
        noise[QStringLiteral("t%1").arg(j)] = QString::number(random.below(3));
      }
      trial.channels = {{"text", text}, {"number", number}, {"counter", counter}, {"noise", noise}};
      trials.push_back(std::move(trial));
    }
    const std::set<QString> found = leaking(cheat::judge(trials, kLearnt));
    QVERIFY(found.count("text") && found.count("number") && found.count("counter") && !found.count("noise"));
  }
};

QTEST_MAIN(LeakTest)
#include "leak_test.moc"
