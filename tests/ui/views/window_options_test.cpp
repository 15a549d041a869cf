// The window's program as a script meets it: what is wrong with its arguments, in one line and with code 2.
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

class WindowOptionsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void wrongOptionsAreOneLine_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("unknown") << QStringList{"--colour"} << QByteArray("quantspot: Unknown option 'colour'. (see quantspot --help)\n");
    QTest::newRow("no value") << QStringList{"--data"} << QByteArray("quantspot: Missing value after '--data'. (see quantspot --help)\n");
  }
  void wrongOptionsAreOneLine() {
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, said);
    QTemporaryDir runtime;               // without one Qt warns
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("XDG_RUNTIME_DIR", runtime.path());
    QProcess window;
    window.setProcessEnvironment(environment);
    window.start(QUANTSPOT, arguments);
    QVERIFY(window.waitForFinished(240000) && window.exitStatus() == QProcess::NormalExit);
    QCOMPARE(window.exitCode(), 2);
    QCOMPARE(window.readAllStandardError(), said);
    QVERIFY(window.readAllStandardOutput().isEmpty());
  }

  void helpIsAnAnswer() {
    QProcess window;
    window.start(QUANTSPOT, {"--help"});
    QVERIFY(window.waitForFinished(240000));
    QCOMPARE(window.exitCode(), 0);
    QVERIFY(window.readAllStandardOutput().contains("--participant"));
  }
};

QTEST_GUILESS_MAIN(WindowOptionsTest)
#include "window_options_test.moc"
