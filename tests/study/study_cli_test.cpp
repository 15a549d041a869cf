// quantspot-study as a program.
#include "study/chain.h"
#include "study/study_store.h"
#include "tests/study/tiny_png.h"

#include <QDir>
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
    QTest::newRow("sprt") << QStringList{"sprt", "p0=0.5", "p1=0.75", "correct=3", "trials=5"} << "log_ratio" << 3 * std::log(1.5)
        + 2 * std::log(0.5);
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
    const Run agreed = study({"stat", "krippendorff", "file=" + matrix});
    QCOMPARE(agreed.json()["alpha"].toDouble(), 1.0);
    QVERIFY(agreed.json()["interval"].isNull() && agreed.json()["reason"].toString().startsWith("no interval: fewer than 30 things"));
    const QString order = write("order.csv", "a,b,c\nb,a,c\nc,a,b\na,c,b\n");
    QCOMPARE(study({"stat", "plackett-luce", "file=" + order}).json()["abilities"].toArray().size(), 3);
  }

  // From the protocol to the verified bundle, and a participant erased.
  void aWholeStudyWithoutAWindow() {
    const QString images = folder_.filePath("images"), store = folder_.filePath("study.sqlite"), bundle = folder_.filePath("bundle.zip"), secret =
        write("secret", "four words are enough\n");
    const QString protocol = write("protocol.json", R"({"schema": 1, "title": "Small", "variants": ["bf16", "bnb-nf4"], "participants": 2,
      "comparisons": [{"id": "fox", "prompt": "a fox"}, {"id": "owl", "prompt": "an owl"}], "blocks": [{"kind": "spot", "trials": 6, "slots": 3}]})");
    for (const char* name : {"fox/bf16", "fox/bnb-nf4", "owl/bf16", "owl/bnb-nf4"}) {
      QVERIFY(QDir(images).mkpath(QString(name).section('/', 0, 0)));
      write(QStringLiteral("images/%1.png").arg(name), sample::shadedPng(name));
    }
    qint64 fox = 0;
    {
      quantspot::study::StudyStore history;                             // the window's file holds the same pictures, with their names
      QVERIFY(history.open(store));
      quantspot::study::Comparison comparison;
      comparison.model = "default", comparison.recipe = {{"prompt", "a fox"}};
      for (const char* name : {"bf16", "bnb-nf4"}) {
        quantspot::study::Sample one;
        one.precision = name, one.png = sample::shadedPng(QByteArray("fox/") + name);
        comparison.samples.push_back(one);
      }
      QVERIFY(history.addComparison(comparison));
      fox = comparison.id;
    }
    const auto named = [&] {
      quantspot::study::StudyStore history;
      return history.open(store) && !history.comparison(fox)->samples[1].png.isEmpty();
    };
    const QStringList where{"--store", store, "--passphrase-file", secret};
    const auto in = [&](const QStringList& arguments) { return study(arguments + where); };
    const Run made = in({"new", "--protocol", protocol, "--images", images});
    QVERIFY2(made.code == 0, made.err.constData());
    const QString hash = made.json()["study"].toString();
    QCOMPARE(hash.size(), 64);
    QCOMPARE(made.json()["sealed_samples"].toInt(), 2);
    QVERIFY(!named());
    QVERIFY(made.json()["order_self_test"]["slots_p"].toDouble() > 0.001);

    QByteArray answers = "participant,trial,answer,response_ms\n";
    for (const char* person : {"anna", "ben"})
      for (int trial = 0; trial < 6; ++trial) answers += QByteArray(person) + ',' + QByteArray::number(trial) + ",B,1500\n";
    const Run imported = in({"import", write("answers.csv", answers)});
    QVERIFY2(imported.code == 0, imported.err.constData());
    QCOMPARE(imported.json()["answers"].toInt(), 12);
    // What is wrong at the end of a file leaves nothing of its beginning.
    for (const auto& [rows, said] : {std::pair("y,0,A,1\nx,0,Z,1\n", "row 2: the answer was not kept: trial 0 (spot) does not take 'Z'"),
                                     std::pair("y,0,A,1\ny,0,B,1\n", "row 2: the answer was not kept: trial 0 is answered already"),
                                     std::pair("y,0,A,1\ny,one,B,1\n", "row 2: trial 'one' is no number"),
                                     std::pair("y,0,A,1\n,1,B,1\n", "row 2: the participant has no name"),
                                     std::pair("y,0,A,1\ny,1,B,soon\n", "row 2: response_ms 'soon' is no whole number from 0 to 1000000000")}) {
      const Run again = in({"import", write("again.csv", QByteArray("participant,trial,answer,response_ms\n") + rows)});
      QVERIFY2(again.code == 1 && again.err.contains(said) && again.err.contains("nothing was imported"), again.err.constData());
    }
    QCOMPARE(study({"export", "--store", store}).json()["head"].toString(), imported.json()["head"].toString());

    const Run status = study({"status", "--store", store});   // needs no passphrase, because it tells no score
    QVERIFY2(status.code == 0, status.err.constData());
    QCOMPARE(status.json()["finished"].toInt(), 2);
    QVERIFY(!status.out.contains("correct") && status.json()["sequential"].toObject().isEmpty());
    for (const QStringList& early : {QStringList{"analyze"}, QStringList{"export", "--out", bundle}})
      QVERIFY2(in(early).err.contains("still running: close it"), early[0].toLatin1());
    const Run closed = study({"close", "--store", store});
    QVERIFY2(closed.code == 0 && !closed.json()["closed"].toString().isEmpty(), closed.err.constData());
    QVERIFY(in({"import", write("late.csv", "participant,trial,answer\nx,0,A\n")}).err.contains("the study was closed at"));
    const QString head = study({"export", "--store", store}).json()["head"].toString();
    QCOMPARE(closed.json()["head"].toString(), head);
    QVERIFY(!named());
    const Run exported = in({"export", "--study", hash.left(10), "--out", bundle});
    QVERIFY2(exported.code == 0, exported.err.constData());
    QVERIFY(named());                                 // the mapping is out: they are back
    qputenv("QUANTSPOT_DATA", "/nowhere/at/all");   // verify needs no data folder
    const Run verified = study({"verify", bundle, "--head", head});
    qunsetenv("QUANTSPOT_DATA");
    QVERIFY2(verified.code == 0 && verified.json()["ok"].toBool(), (verified.out + verified.err).constData());
    QCOMPARE(verified.json()["responses"].toInt(), 12);
    const Run wrong = study({"verify", bundle, "--head", QString(64, 'a')});
    QVERIFY(wrong.code == 1 && !wrong.json()["ok"].toBool());
    const QString pdf = folder_.filePath("report.pdf"), html = folder_.filePath("report.html");
    QVERIFY(study({"report", bundle, "--pdf", pdf}).code == 0 && in({"report", "--out", html}).code == 0);
    QFile printed(pdf), page(html);
    QVERIFY(printed.open(QIODevice::ReadOnly));
    const QByteArray once = printed.readAll();
    QVERIFY(once.startsWith("%PDF-1.") && study({"report", bundle, "--pdf", folder_.filePath("again.pdf")}).code == 0);
    QFile again(folder_.filePath("again.pdf"));
    QVERIFY(again.open(QIODevice::ReadOnly) && again.readAll() == once);   // another process gives the same bytes
    QVERIFY(verified.json()["notes"].toArray().isEmpty());
    QVERIFY(page.open(QIODevice::ReadOnly) && page.readAll().startsWith("<!DOCTYPE html>"));
    QCOMPARE(study({"report", bundle}).code, 2);
    QVERIFY2(study({"analyze", bundle, "--save-policy", pdf}).err.contains("its variants are not groups of layers"), "");
    const Run analyzed = study({"analyze", bundle});
    QCOMPARE(in({"analyze"}).json(), analyzed.json());
    QVERIFY(analyzed.json()["decisions"][0].toString().startsWith("`bnb-nf4` is "));

    // Everything that is kept of one person, for that person; afterwards nothing is.
    const QString anna = imported.json()["participants"]["anna"].toString(), own = folder_.filePath("anna.json");
    const Run kept = in({"export", "--participant", anna, "--out", own});
    QVERIFY2(kept.code == 0, kept.err.constData());
    QCOMPARE(kept.json()["records"].toInt(), 7);                       // joined, and six answers
    QFile file(own);
    QVERIFY(file.open(QIODevice::ReadOnly));
    for (const QJsonValue& record : QJsonDocument::fromJson(file.readAll())["records"].toArray()) {
      QVERIFY(record["record"].toString().contains(anna));
      QCOMPARE(quantspot::study::commitmentOf(record["salt"].toString().toLatin1(), record["record"].toString().toUtf8()),
               record["commitment"].toString().toLatin1());
    }
    const Run erased = in({"erase", "--participant", imported.json()["participants"]["anna"].toString()});
    QVERIFY2(erased.code == 0, erased.err.constData());
    QVERIFY2(in({"export", "--participant", anna}).err.contains("no record of participant"), "erased");
    QVERIFY(in({"export", "--out", bundle}).code == 0);
    QCOMPARE(study({"verify", bundle}).json()["erased"].toInt(), 7);
    const QStringList other{"--store", folder_.filePath("other.sqlite")};
    QVERIFY(study(QStringList{"import", bundle} + other).code == 0);
    QCOMPARE(study(QStringList{"export"} + other).json()["head"].toString(), erased.json()["head"].toString());
    QVERIFY2(study({"analyze", "--store", store, "--passphrase-file", protocol}).err.contains("passphrase is wrong"), "");
  }

  // A protocol over groups of layers, frozen with its pictures, answered and made a policy.
  void groupsOfLayersBecomeAPolicy() {
    const QString base = write("base.json", R"({"schema": 1, "title": "Layers", "variants": ["bf16", "bnb-nf4"],
      "comparisons": [{"id": "fox", "prompt": "a fox"}],
      "blocks": [{"kind": "spot", "trials": 8, "slots": 3}]})");
    const QString protocol = folder_.filePath("layers.json"), images = folder_.filePath("layers"), policy = folder_.filePath("policy.json");
    const Run made = study({"ablation", "--protocol", base, "--groups", "attn,ff+norm", "--low", "bnb-nf4", "--out", protocol});
    QVERIFY2(made.code == 0, made.err.constData());
    QCOMPARE(made.json()["variants"].toArray(), (QJsonArray{"bf16", "bf16?attn=bnb-nf4", "bf16?ff=bnb-nf4&norm=bnb-nf4"}));
    const QJsonArray pictures = made.json()["pictures"].toArray();
    QCOMPARE(pictures.size(), 3);
    QVERIFY(QDir(images).mkpath("fox"));
    for (const QJsonValue& picture : pictures)
      write("layers/" + picture["file"].toString(), sample::shadedPng(picture["precision"].toString().toUtf8()));
    qputenv("QUANTSPOT_PASSPHRASE", "four words are enough");
    const QStringList store{"--store", folder_.filePath("layers.sqlite")};
    const Run frozen = study(QStringList{"new", "--protocol", protocol, "--images", images} + store);
    QVERIFY2(frozen.code == 0, frozen.err.constData());
    QByteArray answers = "participant,trial,answer\n";
    for (int trial = 0; trial < 8; ++trial) answers += "x," + QByteArray::number(trial) + ",B\n";
    QVERIFY(study(QStringList{"import", write("layers.csv", answers)} + store).code == 0);
    QVERIFY(study(QStringList{"close"} + store).code == 0);
    const Run analyzed = study(QStringList{"analyze", "--save-policy", policy} + store);
    qunsetenv("QUANTSPOT_PASSPHRASE");
    QVERIFY2(analyzed.code == 0, analyzed.err.constData());
    QCOMPARE(analyzed.json()["policy"]["kept"].toArray().size(), 2);   // eight answers show nothing to be within the margin
    QFile file(policy);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(QJsonDocument::fromJson(file.readAll()).object()["base"].toString(), QStringLiteral("bf16"));
    QVERIFY2(study({"ablation", "--protocol", base, "--groups", "a b", "--low", "bnb-nf4", "--out", protocol}).err.contains("holds a space"), "");
  }

  void powerTellsTrialsAndCurve() {
    const Run run = study({"power", "--rate", "0.6", "--chance", "0.5"});
    QCOMPARE(run.json()["trials"].toInt(), 158);
    QVERIFY(run.json()["curve"].toArray().size() > 20);
  }

  void mistakesAreOneLineWithTheirExitCode_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QByteArray>("said");
    QTest::newRow("no such figure") << QStringList{"stat", "magic"} << 2 << QByteArray("there is no figure 'magic'");
    QTest::newRow("missing key") << QStringList{"stat", "binomial", "correct=1"} << 2 << QByteArray("trials=… is missing");
    QTest::newRow("unknown key") << QStringList{"stat", "binomial", "correct=1", "trials=2", "colour=red"} << 2 << QByteArray("knows no 'colour'");
    QTest::newRow("impossible") << QStringList{"stat", "binomial", "correct=5", "trials=2"} << 2 << QByteArray("must be 0 to trials");
    QTest::newRow("no such level") << QStringList{"stat", "interval", "correct=1", "trials=2", "level=95"} << 2 << QByteArray("level=95: must lie");
    QTest::newRow("no such measurement") << QStringList{"stat", "krippendorff", "file=/nowhere.csv", "measurement=ratio"} << 2
                                         << QByteArray("measurement=ratio: must be nominal, ordinal or interval");
    QTest::newRow("no count") << QStringList{"stat", "chi-square", "counts=-1,2"} << 2 << QByteArray("counts=-1,2: must be whole numbers from 0");
    QTest::newRow("rate below chance") << QStringList{"power", "--rate", "0.3", "--chance", "0.5"} << 2 << QByteArray("must lie above chance");
    QTest::newRow("no file") << QStringList{"stat", "mos", "file=/nowhere.csv"} << 1 << QByteArray("/nowhere.csv cannot be read");
    QTest::newRow("no protocol") << QStringList{"new", "--protocol", "/nowhere.json", "--images", "/"} << 1
        << QByteArray("/nowhere.json cannot be read");
    QTest::newRow("no passphrase") << QStringList{"export", "--store", ":memory:", "--out", "x"} << 2 << QByteArray("the store holds no study");
    QTest::newRow("no bundle") << QStringList{"verify", "/dev/null"} << 1 << QByteArray("");
    QTest::newRow("no command") << QStringList{} << 2 << QByteArray("a command is missing; commands: new, ");
    QTest::newRow("unknown command") << QStringList{"draw"} << 2 << QByteArray("there is no command 'draw'");
    QTest::newRow("no number") << QStringList{"power", "--rate", "x"} << 2 << QByteArray("--rate: 'x' is not a number from 0 to 1");
    QTest::newRow("rate") << QStringList{"power", "--rate", "2"} << 2 << QByteArray("--rate: '2' is not a number from 0 to 1");
    QTest::newRow("no rate") << QStringList{"power"} << 2 << QByteArray("--rate is required (see quantspot-study power --help)");
    QTest::newRow("power") << QStringList{"power", "--rate", "0.9", "--power", "nan"} << 2 << QByteArray("--power: 'nan'");
    const QString text = QStringLiteral(QUANTSPOT_SOURCE_DIR "/README.md");   // neither JSON nor a bundle
    QTest::newRow("protocol of something else") << QStringList{"new", "--protocol", text, "--images", "/"} << 1
        << QByteArray("/README.md: protocol: ");
    QTest::newRow("no table") << QStringList{"stat", "bradley-terry", "file=" + text} << 1 << QByteArray("/README.md: row ");
    QTest::newRow("report of something else") << QStringList{"report", text, "--out", "x"} << 1 << QByteArray("/README.md: the bundle");
    QTest::newRow("no store") << QStringList{"status", "--store", "/nowhere/study.sqlite"} << 1
        << QByteArray("/nowhere/study.sqlite: there is no such store");
    QTest::newRow("no study of that name") << QStringList{"close", "--store", ":memory:", "--study", "abc"} << 1 << QByteArray("the store holds none");
  }
  void mistakesAreOneLineWithTheirExitCode() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QByteArray, said);
    const Run run = study(arguments);
    QCOMPARE(run.code, code);
    QVERIFY2(run.err.contains(said), run.err.constData());
    QCOMPARE(run.out.isEmpty(), !arguments.contains("verify"));   // whose findings are its result
    QCOMPARE(run.err.count('\n'), arguments.contains("verify") ? 0 : 1);
    QVERIFY(!QFile::exists("/nowhere"));
  }
};

QTEST_GUILESS_MAIN(StudyCliTest)
#include "study_cli_test.moc"
