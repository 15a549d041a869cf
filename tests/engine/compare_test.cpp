// quantspot-cli compare over hours and machines: interrupted, shared, estimated, told in every form.
#include "tests/engine/cli_process.h"

#include <QDateTime>
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>

#include <cmath>

using quantspot::test::finish;
using quantspot::test::Outcome;
using quantspot::test::runCli;

namespace {

const QStringList kSmall = {"--threads", "1", "--steps", "2", "--width", "64", "--height", "64", "--max-sequence-length", "32"};

Outcome run(const QStringList& arguments) { return runCli(QStringList{"compare"} + arguments + kSmall); }

QByteArray read(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}
QJsonObject readJson(const QString& path) { return QJsonDocument::fromJson(read(path)).object(); }

// Objects of a store: name → time of change in nanoseconds, as text.
QHash<QString, QDateTime> objects(const QString& folder) {
  QHash<QString, QDateTime> found;
  QDirIterator files(folder + "/store/objects", {"*.json"}, QDir::Files, QDirIterator::Subdirectories);
  while (files.hasNext()) {
    files.next();
    found[files.fileName()] = files.fileInfo().lastModified();
  }
  return found;
}

}  // namespace

class CompareTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString path(const QString& name) const { return folder_.filePath(name); }

 private Q_SLOTS:
  void initTestCase() {
    QFile prompts(path("six.tsv"));
    QVERIFY(prompts.open(QIODevice::WriteOnly));
    prompts.write("Prompt\tCategory\na fox\tAnimals\na cat\tAnimals\na pizza\tFood\na banana\tFood\na star\tThings\na crown\tThings\n");
  }

  // A set's distance is the one that `score` gives of the same files; to the baseline's pictures unless real ones are named.
  void setsAreComparedWithTheBaselineOrWithRealPictures() {
    const QString out = path("sets");
    const QStringList arguments = {"--precisions", "bf16,quanto-int2", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out};
    const auto figure = [&](int row) -> QJsonValue { return readJson(out + "/report.json")["summary"].toArray().at(row)["figures"]["fd-clip-tiny"]; };
    const Outcome first = run(arguments);
    QCOMPARE(first.code, 0);
    QVERIFY2(first.json()["features"].toInt() == 12, first.out + first.err);
    QVERIFY2(first.err.contains("LPIPS (alex) is not measured") && first.err.contains("quantspot-cli metrics download"), first.err);
    QCOMPARE(run(arguments).json()["features"].toInt(), 0);   // they are kept with the pictures
    QCOMPARE(readJson(out + "/report.json")["sets"].toObject()["against"].toString(), "bf16");
    QVERIFY(figure(0).isUndefined() && figure(1)["value"].toDouble() > 0);
    QVERIFY(read(out + "/report.html").contains("FD-CLIP-tiny: Fréchet distance, KD-CLIP-tiny: kernel distance, from all pictures of a precision, as a "
                                                "set, to those of the baseline"));
    QVERIFY(read(out + "/report.html").contains("CLIP-tiny stands in for CLIP score") &&
            read(out + "/report.html").contains("<th>CLIP-tiny score</th>"));
    const Outcome same = runCli({"score", "--metric", "fid", "--a", out + "/quanto-int2", "--b", out + "/bf16"});
    QVERIFY2(std::abs(same.json()["value"].toDouble() - figure(1)["value"].toDouble()) < 1e-6, same.err);
    QCOMPARE(figure(1)["n"].toInt(), 6);
    const QJsonValue kernel = readJson(out + "/report.json")["summary"].toArray().at(1)["figures"]["kd-clip-tiny"];
    QVERIFY(kernel["ci95"].isArray() && read(out + "/report.html").contains("KD-CLIP-tiny by pairs: no picture meets the baseline"));
    const QJsonObject pairs = runCli({"score", "--metric", "kid", "--paired", "--a", out + "/quanto-int2", "--b", out + "/bf16"}).json();
    QVERIFY(std::abs(pairs["value"].toDouble() - kernel["value"].toDouble()) < 1e-9);
    const Outcome real = run(arguments + QStringList{"--real", out + "/quanto-int2"});
    QCOMPARE(real.code, 0);
    QCOMPARE(real.json()["features"].toInt(), 6);             // of the real files; those of the pictures are known
    QVERIFY(figure(0)["value"].toDouble() > 100 * std::abs(figure(1)["value"].toDouble()));   // which is now the real set itself
  }

  // Statistics of real pictures stand for them where mu and sigma are enough; KID says that they are not.
  void statisticsFilesAreRealSets() {
    const QString out = path("sets"), file = path("real.npz");
    QCOMPARE(runCli({"score", "--metric", "fid", "--a", out + "/bf16", "--b", out + "/bf16", "--save-statistics", file}).code, 0);
    const Outcome result = run({"--precisions", "bf16,quanto-int2", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out, "--real", file});
    QVERIFY2(result.code == 0 && result.err.contains("KID and CMMD need single pictures"), result.err);
    const QJsonArray rows = readJson(out + "/report.json")["summary"].toArray();
    QVERIFY(std::abs(rows[0]["figures"]["fd-clip-tiny"]["value"].toDouble()) < 1e-6 && rows[1]["figures"]["fd-clip-tiny"]["value"].toDouble() > 0);
    QVERIFY(rows[1]["figures"]["kd-clip-tiny"].isUndefined());
  }

  void whatIsMeasuredIsTheUsers() {
    const QString out = path("sets");
    const QStringList arguments = {"--precisions", "bf16,quanto-int2", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out};
    const Outcome result = run(arguments + QStringList{"--metrics", "clip-image,ssim"});
    QVERIFY2(result.code == 0, result.err);
    const QJsonObject figures = readJson(out + "/report.json")["summary"].toArray().at(1)["figures"].toObject();
    QVERIFY(figures.contains("clip-image") && figures.contains("ssim") && !figures.contains("psnr") && !figures.contains("fd-clip-tiny"));
    for (const auto& [metric, word] : {std::pair{"lpips-vgg", "quantspot-cli metrics download lpips-vgg"},
                                       std::pair{"beauty", "there are clip, psnr"}}) {
      const Outcome wrong = run(arguments + QStringList{"--metrics", metric});
      QVERIFY2(wrong.code == 2 && wrong.err.contains(word), wrong.err);
    }
  }

  void whatWasDrawnBeforeAKillIsKept() {
    const QString out = path("killed");
    const QStringList arguments = {"--precisions", "bf16,bnb-nf4", "--prompts", path("six.tsv"), "--seeds", "0..1", "--out", out};
    QProcess cli;
    cli.start(QStringLiteral(QUANTSPOT_CLI), QStringList{"compare"} + arguments + kSmall);
    QVERIFY(cli.waitForStarted());
    QTRY_VERIFY_WITH_TIMEOUT(objects(out).size() >= 4, 120000);
    ::kill(static_cast<pid_t>(cli.processId()), SIGKILL);
    cli.waitForFinished();
    const auto before = objects(out);
    QVERIFY(before.size() < 24);
    QVERIFY(!QFile::exists(out + "/report.json"));

    const Outcome again = run(arguments);
    QVERIFY2(again.code == 0, again.err);
    const auto after = objects(out);
    QCOMPARE(after.size(), 25);            // and the baseline's first again
    const QJsonObject floor = readJson(out + "/report.json")["noise_floor"].toObject();
    QVERIFY(floor["same"].toBool() && floor["key"].toString().size() == 64);
    QCOMPARE(QDir(out + "/bf16").entryList(QDir::Files).size(), 12);         // where it would be taken for one of the set
    for (auto it = before.begin(); it != before.end(); ++it) QCOMPARE(after[it.key()], it.value());   // not written again
    QCOMPARE(again.json()["drawn"].toInt(), 24 - before.size());
    QCOMPARE(readJson(out + "/report.json")["comparisons"].toArray().size(), 12);

    const Outcome third = run(arguments);
    QCOMPARE(third.json()["drawn"].toInt(), 0);
    QCOMPARE(objects(out), after);
    // One more precision: only its cells are drawn.
    const Outcome more = run({"--precisions", "bf16,bnb-nf4,fp32", "--prompts", path("six.tsv"), "--seeds", "0..1", "--out", out});
    QCOMPARE(more.json()["drawn"].toInt(), 12);
  }

  // On a real small disk that only these two runs see: the second one finds it larger.
  void aFullDiskIsOneLineAndNothingIsLost_data() {
    QTest::addColumn<QString>("size");
    QTest::addColumn<QString>("workers");
    for (const char* size : {"60k", "150k", "330k"})
      for (const char* workers : {"1", "2"}) QTest::addRow("%s, %s workers", size, workers) << size << workers;
  }
  void aFullDiskIsOneLineAndNothingIsLost() {
    QFETCH(QString, size);
    QFETCH(QString, workers);
    const QString disk = path("disk");
    QVERIFY(QDir().mkpath(disk));
    QProcess cli;
    const QString script = QStringLiteral("mount -t tmpfs -o size=%1 tmpfs \"$0\" || exit 77; \"$@\" > /dev/null 2> \"$0.first\"; first=$?; "
                                          "mount -o remount,size=4m \"$0\"; \"$@\"; echo \" $first $?\" > \"$0.codes\"").arg(size);
    cli.start("unshare", QStringList{"-rm", "sh", "-c", script, disk, QStringLiteral(QUANTSPOT_CLI), "compare", "--precisions", "bf16,bnb-nf4",
                                     "--prompts", path("six.tsv"), "--workers", workers, "--out", disk + "/out"} + kSmall);
    const Outcome second = finish(cli);
    if (second.code == 77 || !QFile::exists(disk + ".codes")) QSKIP("this account may not mount in a namespace of its own (unshare -rm)");
    const QByteArray first = read(disk + ".first");
    QVERIFY2(first.count('\n') == 1 && first.contains("No space left on device"), first);
    QVERIFY2(first.contains("make room there, then run the same command again"), first);
    QCOMPARE(read(disk + ".codes").trimmed(), QByteArray("1 0"));
    QCOMPARE(second.json()["failed"].toInt(-1), 0);
    QCOMPARE(second.json()["samples"].toInt(), 12);
    const int kept = QRegularExpression("; (\\d+) of 12 pictures are kept").match(first).captured(1).toInt();
    QCOMPARE(second.json()["drawn"].toInt(), 12 - kept);
  }

  void everyFormHoldsTheSameNumbers() {
    const QString out = path("killed");
    const QJsonObject report = readJson(out + "/report.json");
    const QByteArray page = read(out + "/report.html");
    QCOMPARE(page.count("data:image/png;base64,"), 36);
    QVERIFY(page.contains("<svg") && !page.contains("<script") && !page.contains("http"));
    QHash<QString, double> csv;
    const QList<QByteArray> lines = read(out + "/summary.csv").split('\n');
    for (const QByteArray& line : lines) {
      const auto fields = line.trimmed().split(',');
      if (fields.size() == 7) csv[QString::fromUtf8(fields[0] + " " + fields[1] + " " + fields[2])] = fields[3].toDouble();
    }
    int compared = 0;
    for (const QJsonValue& row : report["summary"].toArray())
      for (const char* kind : {"figures", "changes"}) {
        const QJsonObject figures = row[kind].toObject();
        for (auto it = figures.begin(); it != figures.end(); ++it, ++compared) {
          const QString column = it.key() == "clip" ? QStringLiteral("clip-tiny") : it.key();   // by what scored, as the report's labels say
          const QString name = row["precision"].toString() + " " + column + " " + (kind == QByteArray("figures") ? "mean" : "change");
          QVERIFY2(csv.contains(name) && csv[name] == it.value().toObject()["value"].toDouble(), qPrintable(name));
        }
      }
    QVERIFY(compared > 20);
    // A mean, once more by hand.
    double sum = 0;
    int n = 0;
    for (const QJsonValue& comparison : report["comparisons"].toArray())
      for (const QJsonValue& sample : comparison["samples"].toArray())
        if (sample["precision"] == "bnb-nf4") sum += sample["scores"]["ssim"].toDouble(), ++n;
    QCOMPARE(n, 12);
    QVERIFY(std::abs(report["summary"][1]["figures"]["ssim"]["value"].toDouble() - sum / n) < 1e-12);
    QCOMPARE(report["categories"].toArray().size(), 3 * 3 + 3 * 2 * 3);   // CLIP of three, PSNR, SSIM and GMSD of two precisions
    QCOMPARE(report["judged"].toArray().size(), 2 * 6);
    QCOMPARE(report["memory_over_time"].toArray().size(), 3);
    QCOMPARE(read(out + "/samples.csv").count('\n'), 37);
  }

  void twoProgramsShareTheWork() {
    const QString out = path("shared");
    const QStringList arguments = {"--precisions", "bf16,bnb-nf4", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out};
    QProcess one, two;
    for (QProcess* cli : {&one, &two}) cli->start(QStringLiteral(QUANTSPOT_CLI), QStringList{"compare"} + arguments + kSmall);
    const Outcome first = finish(one), second = finish(two);
    QVERIFY2(first.code == 0 && second.code == 0, first.err + second.err);
    QCOMPARE(objects(out).size(), 13);   // the baseline's first lies there twice
    QCOMPARE(QDir(out + "/store/claims").entryList(QDir::Files | QDir::Hidden).size(), 0);
    QCOMPARE(readJson(out + "/report.json")["summary"][1]["drawn"].toInt(), 6);
  }

  void workersShareTheWork() {
    const QString out = path("workers");
    const Outcome result = run({"--precisions", "bf16,bnb-nf4", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out, "--workers", "2"});
    QVERIFY2(result.code == 0, result.err);
    QCOMPARE(objects(out).size(), 13);   // the baseline's first lies there twice
    QCOMPARE(result.json()["failed"].toInt(), 0);
    QCOMPARE(readJson(out + "/report.json")["summary"][0]["drawn"].toInt(), 6);
  }

  void theEstimateComesFirst() {
    const QString out = path("estimate");
    const QStringList arguments = {"--precisions", "bf16,bnb-nf4", "--prompts", path("six.tsv"), "--seeds", "0..4", "--out", out};
    const Outcome result = run(arguments + QStringList{"--estimate", "--price", "3600"});
    QVERIFY2(result.code == 0, result.err);
    const QJsonObject told = result.json();
    QCOMPARE(told["finished"].toInt(), 2);
    QCOMPARE(told["left"].toInt(), 58);
    QCOMPARE(objects(out).size(), 2);
    QVERIFY(told["seconds"].toDouble() > 0 && std::abs(told["price"].toDouble() - told["seconds"].toDouble()) < 1e-9);
    QVERIFY2(result.err.startsWith("2 of 60 pictures are there; the other 58 take about "), result.err);
    QVERIFY(!QFile::exists(out + "/report.json"));
    const Outcome second = run(arguments + QStringList{"--estimate"});
    QCOMPARE(second.json()["finished"].toInt(), 2);
  }

  void latentsTellHowTheErrorGrows() {
    const QString out = path("growth");
    const Outcome result = run({"--precisions", "bf16,bnb-nf4", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out, "--error-growth", "3", "--pdf"});
    QVERIFY2(result.code == 0, result.err);
    const QJsonArray growth = readJson(out + "/report.json")["growth"].toArray();
    QCOMPARE(growth.size(), 2);          // two steps of one precision
    for (const QJsonValue& step : growth) QVERIFY(step["n"].toInt() == 3 && step["value"].toDouble() > 0 && step["value"].toDouble() < 1);
    QVERIFY(read(out + "/report.pdf").startsWith("%PDF-") && read(out + "/growth.csv").count('\n') == 3);
  }

  void thresholdsAndRatingsAreTheUsers() {
    const QString out = path("growth");
    const auto write = [&](const char* name, const QByteArray& text) {
      QFile file(path(name));
      if (file.open(QIODevice::WriteOnly)) file.write(text);
    };
    write("t.json", R"([{"id":"psnr","figure":"psnr","measure":"value","side":"above","limit":99},)"
                    R"({"id":"human","figure":"rating","measure":"value","side":"above","limit":4}])");
    write("r.json", R"({"bnb-nf4": {"value": 4.5, "ci95": [4.2, 4.8], "n": 20}})");
    const Outcome result = run({"--precisions", "bf16,bnb-nf4", "--prompts", path("six.tsv"), "--seeds", "0", "--out", out, "--thresholds", path("t.json"),
                                "--ratings", path("r.json")});
    QVERIFY2(result.code == 0, result.err);
    const QJsonArray judged = readJson(out + "/report.json")["judged"].toArray();
    QCOMPARE(judged.size(), 2);
    QVERIFY(judged[0]["verdict"] == "fail" && judged[0]["sentence"].toString().contains("is not above 99.00: fails by "));
    QCOMPARE(judged[1]["sentence"].toString(), QStringLiteral("Human rating 4.50 (95 % 4.20 to 4.80, N = 20) is above 4.00: passes."));
  }

  void theTableOfDit() {
    const QString out = path("dit"), model = QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/dit_a/pipeline");
    QProcess cli;
    cli.start(QStringLiteral(QUANTSPOT_CLI), {"compare", "--model", model, "--preset", "dit", "--steps", "2", "--width", "48", "--height", "48",
                                              "--prompt", "207", "--seeds", "0..1", "--batch", "2", "--threads", "1", "--out", out});
    const Outcome result = finish(cli);
    QVERIFY2(result.code == 0, result.err);
    const QJsonArray rows = readJson(out + "/report.json")["dit"].toArray();
    QCOMPARE(rows.size(), 2);
    QCOMPARE(rows[1]["precision"].toString(), QStringLiteral("int8-dynamic"));
    for (const QJsonValue& row : rows) {
      // golden/flops: 9882240 operations in 5 calls for two pictures
      QVERIFY(std::abs(row["gflop_per_call"].toDouble() * 1e9 - 9882240.0 / 5 / 2) < 1);
      QVERIFY(row["seconds"].toDouble() > 0 && row["weights"].toDouble() > 0);
      QVERIFY(row["fid"].isNull() && row["quality"].toString().startsWith("lacks data"));
    }
    QVERIFY(read(out + "/report.html").contains("GFLOP per call"));
  }

  void whatIsWrongIsToldAtOnce_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    const QStringList good = {"--out", path("wrong")};
    QTest::newRow("no prompt") << good << 2 << "--prompt";
    QTest::newRow("no file") << good + QStringList{"--prompts", "/no/such"} << 1 << "/no/such";
    QTest::newRow("preset") << good + QStringList{"--preset", "dit"} << 2 << "DiT";
    QTest::newRow("thresholds") << good + QStringList{"--prompt", "x", "--thresholds", "/no/such"} << 2 << "/no/such";
    QTest::newRow("twice the seed") << good + QStringList{"--prompt", "x", "--seeds", "1,1"} << 2 << "seed";
  }
  void whatIsWrongIsToldAtOnce() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, word);
    const Outcome result = run(arguments);
    QVERIFY2(result.code == code, result.err + result.out);
    QVERIFY2(result.err.contains(word.toUtf8()), result.err);
    QVERIFY(!QFile::exists(path("wrong/report.json")));
  }
};

QTEST_GUILESS_MAIN(CompareTest)
#include "compare_test.moc"
