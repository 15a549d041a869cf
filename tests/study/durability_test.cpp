// What happens to a study when its disk, folder, lock or clock fail for real: a message that says what to do, and nothing corrupted.
#include "study/error.h"
#include "tests/study/sample_study.h"

#include <QFile>
#include <QProcess>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <unistd.h>

using namespace quantspot::study;

namespace {

// Run as a process of its own: appends notes of 2 kB until `count` are there or one is refused; says each number, or why not (exit code 3).
int append(const QString& store, const QString& hash, int count, const QString& who) {
  try {
    Ledger ledger(store);
    for (int i = 0; i < count; ++i)
      std::printf("%lld\n", static_cast<long long>(ledger.append(hash, "note", {}, {{"who", who}, {"i", i}, {"text", QString(2000, u'x')}})));
    if (!ledger.lastWarning().isEmpty()) std::printf("warning: %s\n", qPrintable(ledger.lastWarning()));
    return 0;
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 3;
  }
}

// Holds the write lock until its input ends.
int hold(const QString& store) {
  Ledger ledger(store);
  QSqlQuery query(QSqlDatabase::database(QSqlDatabase::connectionNames().constLast()));
  if (!query.exec("BEGIN IMMEDIATE")) return 3;
  std::puts("held");
  std::fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {}
  return 0;
}

struct Run {
  int code = -1;
  QByteArray out;
};

Run finish(QProcess& process) {
  process.waitForFinished(120000);
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAll()};
}

Run run(const QString& program, const QStringList& arguments, const QStringList& environment = {}) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  QProcessEnvironment variables = QProcessEnvironment::systemEnvironment();
  for (const QString& setting : environment) variables.insert(setting.section(u'=', 0, 0), setting.section(u'=', 1));
  process.setProcessEnvironment(variables);
  process.start(program, arguments);
  return finish(process);
}

QString self() { return QCoreApplication::applicationFilePath(); }

// A shell in namespaces of its own, where it may mount.
Run inNamespace(const QString& script) { return run("unshare", {"-rm", "sh", "-c", script}); }

QString quoted(const QString& text) { return u'\'' + text + u'\''; }

}  // namespace

class DurabilityTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  FrozenStudy study_ = sample::frozen();

  QString fresh(const char* name) const {
    const QString store = folder_.filePath(QString::fromLatin1(name) + "/study.sqlite");
    Ledger(store).addStudy(study_);
    return store;
  }
  int soundRecords(const QString& store) const {
    Ledger ledger(store);
    const auto chain = ledger.chain(study_.hash());
    return chainProblems(study_.hash().toLatin1(), chain).isEmpty() ? static_cast<int>(chain.size()) : -1;
  }
  bool mayMount() const { return inNamespace("mount -t tmpfs -o size=64k tmpfs " + quoted(folder_.path())).code == 0; }

 private Q_SLOTS:
  // A disk of one megabyte: what was said to be kept is there, the refusal says what to do, and with room it goes on.
  void aDiskThatIsReallyFull() {
    if (!mayMount()) QSKIP("this account may not mount in a namespace of its own (unshare -rm)");
    const QString store = fresh("full"), disk = folder_.filePath("disk");
    QVERIFY(QDir().mkpath(disk));
    const QString append = quoted(self()) + " --append " + disk + "/study.sqlite " + study_.hash() + " 5000 first";
    const Run full = inNamespace("mount -t tmpfs -o size=1m tmpfs " + disk + " && head -c 300000 /dev/zero > " + disk + "/ballast && cp " + store + ' ' + disk
        + " && " + append + "; echo code $?; rm " + disk + "/ballast; " + quoted(self()) + " --append " + disk + "/study.sqlite " + study_.hash()
        + " 5 second; echo code $?; cp " + disk + "/study.sqlite* " + folder_.filePath("full"));
    const QList<QByteArray> lines = full.out.trimmed().split('\n');
    const qsizetype refused = lines.indexOf("code 3");
    QVERIFY2(refused > 10, full.out.right(600).constData());
    QVERIFY2(lines[refused - 1].contains("full") && lines[refused - 1].contains("make room"), lines[refused - 1].constData());
    const int kept = lines[refused - 2].toInt();
    QVERIFY2(lines.last() == "code 0", full.out.right(600).constData());
    QCOMPARE(lines[refused + 1].toInt(), kept + 1);
    QCOMPARE(soundRecords(store), kept + 5);
  }

  void aFolderThatIsReallyReadOnly() {
    if (!mayMount()) QSKIP("this account may not mount in a namespace of its own (unshare -rm)");
    const QString store = fresh("readonly"), place = QFileInfo(store).path();
    const Run refused = inNamespace("mount --bind " + place + ' ' + place + " && mount -o remount,bind,ro " + place + " && " + quoted(self()) + " --append " + store
        + ' ' + study_.hash() + " 1 me; echo code $?");
    QVERIFY2(refused.out.contains("code 3") && refused.out.contains(store.toUtf8()), refused.out.constData());
    QVERIFY2(refused.out.contains("right to write the file and its folder"), refused.out.constData());
    QCOMPARE(soundRecords(store), 0);
  }

  void aDatabaseThatAnotherProgramHolds() {
    const QString store = fresh("locked");
    QProcess holder;
    holder.start(self(), {"--hold", store});
    QVERIFY(holder.waitForReadyRead(20000));
    const Run refused = run(self(), {"--append", store, study_.hash(), "1", "me"});
    QCOMPARE(refused.code, 3);
    QVERIFY2(refused.out.contains("locked") && refused.out.contains("another program is writing"), refused.out.constData());
    holder.closeWriteChannel();
    QVERIFY(holder.waitForFinished(20000));
    QCOMPARE(run(self(), {"--append", store, study_.hash(), "2", "me"}).code, 0);
    QCOMPARE(soundRecords(store), 2);
  }

  void twoProgramsOnOneStudyLoseNothing() {
    const QString store = fresh("two");
    constexpr int kEach = 60;
    QProcess a, b;
    for (QProcess* process : {&a, &b}) process->start(self(), {"--append", store, study_.hash(), QString::number(kEach), process == &a ? "a" : "b"});
    const Run first = finish(a), second = finish(b);
    QVERIFY2(first.code == 0 && second.code == 0, (first.out + second.out).right(400).constData());
    QCOMPARE(soundRecords(store), 2 * kEach);
    QMap<QString, QSet<int>> seen;
    for (const ChainRecord& record : Ledger(store).chain(study_.hash())) seen[record.json()["who"].toString()] << record.json()["i"].toInt();
    QVERIFY(seen["a"].size() == kEach && seen["b"].size() == kEach);
  }

  // The process's clock stands an hour behind, by a library that stands before the C library's.
  void aClockThatWasReallySetBack() {
#ifdef __SANITIZE_ADDRESS__
    QSKIP("the sanitizer's library must be the first to be loaded");
#endif
    const QString store = fresh("clock");
    QCOMPARE(run(self(), {"--append", store, study_.hash(), "1", "before"}).code, 0);
    const Run behind = run(self(), {"--append", store, study_.hash(), "1", "behind"}, {"LD_PRELOAD=" CLOCK_BACK});
    QVERIFY2(behind.code == 0, behind.out.constData());
    QVERIFY2(behind.out.contains("warning: this computer's clock is 3") && behind.out.contains("the order of records is kept"), behind.out.constData());
    const auto chain = Ledger(store).chain(study_.hash());
    QVERIFY(!chain[0].json().contains("clock_back_s"));
    QVERIFY(std::abs(chain[1].json()["clock_back_s"].toDouble() - 3600) < 120);
    QCOMPARE(soundRecords(store), 2);
  }
};

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList a = application.arguments();
  if (a.value(1) == QLatin1String("--append")) return append(a.value(2), a.value(3), a.value(4).toInt(), a.value(5));
  if (a.value(1) == QLatin1String("--hold")) return hold(a.value(2));
  DurabilityTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "durability_test.moc"
