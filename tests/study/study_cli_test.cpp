// quantspot-study as a program.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

namespace {

struct Run {
  int code = -1;
  QByteArray out, err;
  const QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
};

Run study(const QStringList& arguments) {
  QProcess process;
  process.start(QStringLiteral(QUANTSPOT_STUDY), arguments);
  process.waitForFinished(60000);
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(), process.readAllStandardError()};
}

}  // namespace

class StudyCliTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString write(const QString& name, const QByteArray& text) const {
    QFile file(folder_.filePath(name));
    if (!file.open(QIODevice::WriteOnly)) qFatal("no temporary file");
    file.write(text);
    return file.fileName();
  }

 private Q_SLOTS:
  void figuresOfCounts_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("key");
    QTest::addColumn<double>("value");
    QTest::newRow("binomial") << QStringList{"binomial", "correct=12", "trials=16", "chance=0.5"} << "p_greater" << 0.0384063720703125;
    QTest::newRow("dprime") << QStringList{"dprime", "kind=abx-differencing", "rate=0.75"} << "dprime" << 2.0200391930396;
    QTest::newRow("4afc") << QStringList{"dprime", "kind=4afc", "rate=0.75"} << "dprime" << 1.68219519520334;
    QTest::newRow("same-different") << QStringList{"same-different", "hit=0.75", "false_alarm=0.4"} << "dprime" << 2.10009033555376;
    QTest::newRow("power") << QStringList{"power", "rate=0.6"} << "trials" << 158.0;
    QTest::newRow("sprt") << QStringList{"sprt", "p0=0.5", "p1=0.75", "correct=3", "trials=5"} << "log_ratio" << 3 * std::log(1.5) + 2 * std::log(0.5);
    QTest::newRow("equivalence") << QStringList{"equivalence", "correct=300", "trials=480", "chance=0.25"} << "detection" << 0.5;
    QTest::newRow("chi-square") << QStringList{"chi-square", "counts=12,18,9,21,15"} << "p" << 0.1991482734714558;
  }
  void figuresOfCounts() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, key);
    QFETCH(double, value);
    const Run run = study(QStringList{"stat"} + arguments);
    QVERIFY2(run.code == 0, run.err.constData());
    QCOMPARE(run.json()["stat"].toString(), arguments[0]);
    QVERIFY2(std::abs(run.json()[key].toDouble(-99) - value) < 1e-9, run.out.constData());
  }

  void figuresOfTables() {
    const QString wins = write("wins.csv", "winner,loser,count\nbf16,nf4,30\nnf4,bf16,10\n");
    const Run pair = study({"stat", "bradley-terry", "file=" + wins, "reference=bf16"});
    QVERIFY2(pair.code == 0, pair.err.constData());
    QVERIFY(std::abs(pair.json()["abilities"][1]["value"].toDouble() + std::log(3.0)) < 1e-9);
    QCOMPARE(pair.json()["abilities"][1]["item"].toString(), QStringLiteral("nf4"));
    const QString ties = write("ties.csv", "first,second,first_wins,second_wins,ties\na,b,10,10,20\n");
    const Run davidson = study({"stat", "davidson", "file=" + ties});
    QVERIFY2(std::abs(davidson.json()["log_tie"]["value"].toDouble() - std::log(2.0)) < 1e-9, (davidson.out + davidson.err).constData());
    const QString ratings = write("ratings.csv", "participant,item,rating\np,x,4\nq,x,5\np,y,1\nq,y,2\np,z,3\n");
    QCOMPARE(study({"stat", "mos", "file=" + ratings}).json()["items"][0]["mean"].toDouble(), 4.5);
    const QString matrix = write("matrix.csv", "1,2,3\n1,2,NA\n");
    QCOMPARE(study({"stat", "krippendorff", "file=" + matrix}).json()["alpha"].toDouble(), 1.0);
    const QString order = write("order.csv", "a,b,c\nb,a,c\nc,a,b\na,c,b\n");
    QCOMPARE(study({"stat", "plackett-luce", "file=" + order}).json()["abilities"].toArray().size(), 3);
  }

  void mistakesAreOneLineWithTheirExitCode_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("no such figure") << QStringList{"stat", "magic"} << 2 << QByteArray("there is no figure 'magic'");
    QTest::newRow("missing key") << QStringList{"stat", "binomial", "correct=1"} << 2 << QByteArray("trials=… is missing");
    QTest::newRow("unknown key") << QStringList{"stat", "binomial", "correct=1", "trials=2", "colour=red"} << 2 << QByteArray("knows no 'colour'");
    QTest::newRow("impossible") << QStringList{"stat", "binomial", "correct=5", "trials=2"} << 1 << QByteArray("must be 0 to trials");
    QTest::newRow("no file") << QStringList{"stat", "mos", "file=/nowhere.csv"} << 1 << QByteArray("/nowhere.csv cannot be read");
    QTest::newRow("no command") << QStringList{} << 2 << QByteArray("subcommand");
  }
  void mistakesAreOneLineWithTheirExitCode() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QByteArray, said);
    const Run run = study(arguments);
    QCOMPARE(run.code, code);
    QVERIFY2(run.err.contains(said), run.err.constData());
    QVERIFY(run.out.isEmpty());
  }
};

QTEST_GUILESS_MAIN(StudyCliTest)
#include "study_cli_test.moc"
