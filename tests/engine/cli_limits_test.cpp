// The real programs under limits of their address space (ulimit -v): a picture, or one line that says what to raise; never a crash, never a wait.
#include "tests/engine/cli_process.h"
#include "tests/real_memory.h"

#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>

using quantspot::test::Outcome;

namespace {

const QString kCli = QStringLiteral(QUANTSPOT_CLI), kEngine = QStringLiteral(QUANTSPOT_ENGINE_PROGRAM);

// limit: MiB.
Outcome run(const QString& program, const QStringList& arguments, rlim_t limit) {
  QProcess process;
  process.setEnvironment(QProcess::systemEnvironment() + QStringList{QStringLiteral("OMP_NUM_THREADS=1")});
  process.setChildProcessModifier([limit] {
    const rlimit space{limit << 20, limit << 20}, none{0, 0};
    ::setrlimit(RLIMIT_AS, &space);
    ::setrlimit(RLIMIT_CORE, &none);
  });
  process.start(program, arguments, QIODevice::ReadOnly);
  process.closeWriteChannel();
  return quantspot::test::finish(process);
}

QByteArray told(rlim_t limit, const Outcome& end) {
  return QByteArray::number(qulonglong(limit)) + " MiB: " + QByteArray::number(end.code) + ' ' + end.err.trimmed();
}

// What a program says that it needs to start, in MiB. The loader's own errors come first: it cannot map the libraries (127).
rlim_t needs(const QString& program) {
  rlim_t limit = 200;
  Outcome end = run(program, {QStringLiteral("--version")}, limit);
  while (end.code == 127 && end.err.count('\n') == 1) end = run(program, {QStringLiteral("--version")}, limit += 10);
  static const QRegularExpression line(QStringLiteral("^quantspot-(cli|engine): needs (\\d+) MiB of address space to start, the limit is (\\d+) MiB: raise it "
                                                      "\\(ulimit -v\\)\n$"));
  const auto found = line.match(QString::fromUtf8(end.err));
  if (end.code != 1 || !found.hasMatch() || found.captured(3).toULongLong() != limit) {
    qWarning("%s", told(limit, end).constData());
    return 0;
  }
  return found.captured(2).toULongLong();
}

}  // namespace

class CliLimitsTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  rlim_t cli_ = 0;

  Outcome draw(const QString& offload, rlim_t limit, const QString& out, const QString& threads = QStringLiteral("1")) const {
    QStringList arguments = QStringLiteral("generate --model default --precision bnb-nf4 --prompt fox --steps 1 --width 256 --height 256").split(' ');
    return run(kCli, arguments << "--offload" << offload << "--threads" << threads << "--no-cache" << "--out" << out, limit);
  }

 private Q_SLOTS:
  void initTestCase() {
    SKIP_UNDER_SANITIZER();
    cli_ = needs(kCli);
    QVERIFY(cli_ > 0);
  }

  void aProgramThatSaysItsNeedsStartsWithThem() {
    SKIP_UNDER_SANITIZER();
    const rlim_t engine = needs(kEngine);
    QVERIFY(engine > 0);
    for (const auto& [program, limit] : {std::pair(kCli, cli_), std::pair(kEngine, engine)}) {
      const Outcome below = run(program, {QStringLiteral("--version")}, limit - 1), with = run(program, {QStringLiteral("--version")}, limit);
      QVERIFY2(below.code == 1 && below.err.count('\n') == 1, told(limit - 1, below).constData());
      QVERIFY2(with.code == 0 && with.err.isEmpty(), told(limit, with).constData());
    }
  }

  void everyLimitEndsInAPictureOrALine_data() {
    QTest::addColumn<QString>("offload");
    for (const char* offload : {"none", "group"}) QTest::newRow(offload) << offload;
  }
  void everyLimitEndsInAPictureOrALine() {
    SKIP_UNDER_SANITIZER();
    QFETCH(QString, offload);
    int pictures = 0, lines = 0;
    for (rlim_t limit = cli_; pictures < 2; limit += 14) {
      QVERIFY(limit < 2000);
      const QString out = folder_.filePath(QStringLiteral("%1-%2.png").arg(offload).arg(limit));
      const Outcome end = draw(offload, limit, out);
      QCOMPARE(QFile::exists(out), end.code == 0);
      if (end.code == 0) {
        ++pictures;
        continue;
      }
      ++lines;
      QVERIFY2(end.code == 1 && end.err.trimmed().count('\n') == 0, told(limit, end).constData());
      QVERIFY2(end.err.startsWith("quantspot-cli: ") && end.err.contains("ulimit -v"), told(limit, end).constData());
    }
    QVERIFY(lines > 0);
  }

  void threadsThatCannotStartAreTold() {
    SKIP_UNDER_SANITIZER();
    const Outcome end = draw(QStringLiteral("none"), cli_ + 200, folder_.filePath("many.png"), QStringLiteral("200"));
    QVERIFY2(end.code == 1 && end.err.count('\n') == 1, told(cli_ + 200, end).constData());
    QVERIFY2(end.err.contains("MiB of address space with 200 threads, the limit is"), end.err.constData());
  }
};

QTEST_GUILESS_MAIN(CliLimitsTest)
#include "cli_limits_test.moc"
