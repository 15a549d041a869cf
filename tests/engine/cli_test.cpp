// quantspot-cli as a script meets it: exit codes, what goes to stdout and what to stderr, files.
#include "tests/engine/cli_process.h"

#include <QDir>
#include <QFile>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using quantspot::test::Outcome;
using quantspot::test::runCli;

namespace {

const QStringList kSmall = {"--threads", "1", "--steps", "1", "--width", "64", "--height", "64", "--max-sequence-length", "32"};

QJsonObject readJson(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object() : QJsonObject();
}

}  // namespace

class CliTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString path(const QString& name) const { return folder_.filePath(name); }

 private Q_SLOTS:
  void packedWeightsAreKeptAndReadAgain() {
    qputenv("QUANTSPOT_CACHE", path("cache").toUtf8());
    const auto draw = [&](const char* name, const QStringList& more) {
      const Outcome outcome = runCli(QStringList{"generate", "--precision", "bnb-nf4?vae=quanto-int8", "--prompt", "a fox", "--steps", "2", "--out",
          path(name) + ".png", "--report", path(name) + ".json"} + more);
      if (outcome.code != 0) qWarning("%s", qPrintable(outcome.err));
      return readJson(path(name) + ".json");
    };
    const QJsonObject first = draw("first", {}), second = draw("second", {}), anew = draw("anew", {"--no-cache"});
    qunsetenv("QUANTSPOT_CACHE");
    QCOMPARE(first["packed_cache"].toObject(), (QJsonObject{{"transformer", "written"}, {"vae", "written"}}));
    QCOMPARE(second["packed_cache"].toObject(), (QJsonObject{{"transformer", "read"}, {"vae", "read"}}));
    QCOMPARE(anew["packed_cache"].toObject(), QJsonObject());
    QVERIFY(!first["image_sha256"].toString().isEmpty());
    QCOMPARE(second["image_sha256"], first["image_sha256"]);
    QCOMPARE(anew["image_sha256"], first["image_sha256"]);
    QCOMPARE(second["weights"], first["weights"]);
  }

  void generateWritesPictureReportAndLatents() {
    const Outcome first = runCli(QStringList{"generate", "--precision", "bf16", "--prompt", "a fox", "--seed", "3", "--out", path("a.png"),
        "--report",
                                          path("a.json"), "--latents-out", path("a.safetensors")} + kSmall);
    QVERIFY2(first.code == 0, first.err);
    QCOMPARE(QImage(path("a.png")).size(), QSize(64, 64));
    const QJsonObject report = readJson(path("a.json"));
    QCOMPARE(report["precision"].toString(), QStringLiteral("bf16"));
    QCOMPARE(first.json()["image_sha256"], report["image_sha256"]);
    QVERIFY(QFile::exists(path("a.safetensors")));
    QVERIFY2(first.err.isEmpty(), first.err);   // no progress bar: stderr is no terminal
  }

  void latentsComeIn() {
    QVERIFY(runCli(QStringList{"generate", "--precision", "fp32", "--prompt", "x", "--out", path("b.png"), "--latents-out",
        path("b.safetensors")} + kSmall).code == 0);
    const Outcome again = runCli(QStringList{"generate", "--precision", "fp32", "--prompt", "x", "--out", path("c.png"), "--latents-in",
        path("b.safetensors")} + kSmall);
    QVERIFY2(again.code == 0, again.err);
    const Outcome wrong = runCli(QStringList{"generate", "--prompt", "x", "--out", path("d.png"), "--latents-in", path("b.safetensors"), "--threads",
        "1", "--width", "96"});
    QCOMPARE(wrong.code, 1);
    QVERIFY2(wrong.err.contains("(1, 16, 64)") && wrong.err.count('\n') == 1, wrong.err);
  }

  void aBatchIsItsSinglePictures() {
    const Outcome batch = runCli(QStringList{"generate", "--precision", "fp32", "--prompt", "a fox", "--seed", "3", "--batch", "2", "--out",
        path("batch.png"), "--report",
                                          path("batch.json"), "--latents-out", path("batch.safetensors")} + kSmall);
    QVERIFY2(batch.code == 0, batch.err);
    QCOMPARE(QJsonDocument::fromJson(batch.out).array().size(), 2);
    const Outcome alone = runCli(QStringList{"generate", "--precision", "fp32", "--prompt", "a fox", "--seed", "4", "--out",
        path("alone.png")} + kSmall);
    QVERIFY2(alone.code == 0, alone.err);
    const QJsonObject second = readJson(path("batch-seed4.json"));
    QCOMPARE(second["recipe"]["seed"].toInt(), 4);
    QCOMPARE(second["noise_sha256"], alone.json()["noise_sha256"]);
    const QImage a = QImage(path("batch-seed4.png")).convertToFormat(QImage::Format_RGB888),
        b = QImage(path("alone.png")).convertToFormat(QImage::Format_RGB888);
    int off = a.size() == b.size() ? 0 : 255;
    for (int y = 0; y < b.height() && off < 255; ++y)
      for (int x = 0; x < 3 * b.width(); ++x) off = std::max(off, std::abs(int(a.constScanLine(y)[x]) - int(b.constScanLine(y)[x])));
    QVERIFY2(off <= 1, qPrintable(QString::number(off)));
    // Latents of both come in as a batch again.
    const Outcome again = runCli(QStringList{"generate", "--precision", "fp32", "--prompt", "x", "--batch", "2", "--out", path("in.png"),
        "--latents-in", path("batch.safetensors")} + kSmall);
    QVERIFY2(again.code == 0, again.err);
  }

  void aScheduleIsOneVariant() {
    const Outcome result = runCli(QStringList{"compare", "--precisions", "bf16,bf16@0-0,bnb-nf4?skip=proj_out,norm@1-,fp32", "--prompt", "a fox",
        "--out", path("steps"), "--steps", "2",
                                           "--threads", "1", "--width", "64", "--height", "64", "--max-sequence-length", "32"});
    QVERIFY2(result.code == 0, result.err);
    QCOMPARE(readJson(path("steps/report.json"))["precisions"].toArray(), (QJsonArray{"bf16", "bf16@0-0,bnb-nf4?skip=proj_out,norm@1-", "fp32"}));
  }

  void aCheckpointIsWrittenAndDrawn() {
    const Outcome written = runCli({"quantize", "--precision", "bf16", "--out", path("packed")});
    QVERIFY2(written.code == 0, written.err);
    QVERIFY(written.json()["bytes"].toDouble() > 1e6);
    QVERIFY(runCli(QStringList{"generate", "--model", path("packed"), "--prompt", "x", "--out", path("p.png")} + kSmall).code == 0);
  }

  void compareDrawsSeedsInBatches() {
    const Outcome result = runCli(QStringList{"compare", "--precisions", "fp32,bnb-nf4", "--prompt", "a fox", "--seeds", "3..5", "--batch", "2",
        "--out", path("three")} + kSmall);
    QVERIFY2(result.code == 0, result.err);
    const QJsonArray comparisons = readJson(path("three/report.json"))["comparisons"].toArray();
    QCOMPARE(comparisons.size(), 3);
    for (int i = 0; i < 3; ++i) {
      QCOMPARE(comparisons[i]["recipe"]["seed"].toInt(), 3 + i);
      const QJsonArray samples = comparisons[i]["samples"].toArray();
      QCOMPARE(samples[0]["report"]["noise_sha256"], samples[1]["report"]["noise_sha256"]);
      QCOMPARE(samples[0]["report"]["batch"].toInt(), i < 2 ? 2 : 1);
      QVERIFY(samples[1]["scores"]["psnr"].toDouble() > 5);
      QVERIFY(QFile::exists(path("three/") + samples[1]["image"].toString()));
    }
  }

  void compareWritesAFolderPerVariantAndTheTwoReports() {
    const Outcome result = runCli(QStringList{"compare", "--precisions", "bf16,bnb-nf4?skip=proj_out,norm_out,fp32", "--prompt", "a fox & a <pizza>",
        "--seeds", "1..2",
                                           "--out", path("cmp")} + kSmall);
    QVERIFY2(result.code == 0, result.err);
    const QStringList variants = QDir(path("cmp")).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    QCOMPARE(variants, (QStringList{"bf16", "bnb-nf4+skip=proj_out+norm_out", "fp32", "store"}));
    QCOMPARE(QDir(path("cmp/bf16")).entryList(QDir::Files, QDir::Name), (QStringList{"0000-seed1.png", "0000-seed2.png"}));
    const QJsonArray comparisons = readJson(path("cmp/report.json"))["comparisons"].toArray();
    QCOMPARE(comparisons.size(), 2);
    for (const QJsonValue& comparison : comparisons) {
      QSet<QString> noises;
      for (const QJsonValue& sample : comparison["samples"].toArray()) noises << sample["report"]["noise_sha256"].toString();
      QCOMPARE(noises.size(), 1);
      QVERIFY(comparison["samples"][1]["scores"]["psnr"].toDouble() > 5);
      QVERIFY(comparison["samples"][0]["scores"]["clip"].isDouble());
    }
    QFile html(path("cmp/report.html"));
    QVERIFY(html.open(QIODevice::ReadOnly));
    const QByteArray page = html.readAll();
    QCOMPARE(page.count("data:image/png;base64,"), 6);
    QVERIFY(page.contains("a fox &amp; a &lt;pizza&gt;") && !page.contains("http") && !page.contains("<script"));
  }

  void aFailingVariantIsNamedAndTheOthersGoOn() {
    // A file in the place of the folder's picture: that variant cannot be written.
    QVERIFY(QDir().mkpath(path("part/bnb-nf4/0000-seed0.png")));
    const Outcome result = runCli(QStringList{"compare", "--precisions", "bnb-nf4,bf16", "--prompt", "x", "--out", path("part")} + kSmall);
    QCOMPARE(result.code, 1);
    QVERIFY2(result.err.startsWith("quantspot-cli: bnb-nf4, seed 0: cannot write"), result.err);
    const QJsonArray samples = readJson(path("part/report.json"))["comparisons"][0]["samples"].toArray();
    QVERIFY(samples[0].toObject().contains("error") && samples[1].toObject().contains("image"));
  }

  void scoresAreJson() {
    const QStringList pair = {"--a", path("a.png"), "--b", path("b.png")};
    const QJsonObject psnr = runCli(QStringList{"score", "--metric", "psnr"} + pair).json(),
        ssim = runCli(QStringList{"score", "--metric", "ssim"} + pair).json();
    QCOMPARE(psnr.keys(), (QStringList{"ci95", "label", "metric", "n", "value", "weights_sha256"}));
    QVERIFY(psnr["value"].toDouble() > 5 && psnr["n"].toInt() == 1 && psnr["ci95"].isNull());
    QVERIFY(ssim["value"].toDouble() > -1 && ssim["value"].toDouble() < 1);
    const QJsonObject same = runCli({"score", "--metric", "psnr", "--a", path("a.png"), "--b", path("a.png")}).json();
    QVERIFY(same["value"].isNull() && same["warnings"][0].toString().contains("PSNR is infinite"));
    const QJsonObject folders = runCli({"score", "--metric", "psnr", "--a", path("cmp/bf16"), "--b", path("cmp/fp32")}).json();
    QVERIFY(folders["n"].toInt() == 2 && folders["ci95"].isNull());   // too few for an interval
    QVERIFY(!folders.contains("warnings"));
    QVERIFY(QDir().mkpath(path("more")));
    for (const QString& name : QDir(path("cmp/fp32")).entryList({"*.png"})) QVERIFY(QFile::copy(path("cmp/fp32/") + name, path("more/") + name));
    QVERIFY(QFile::copy(path("a.png"), path("more/alone.png")));
    const QJsonObject more = runCli({"score", "--metric", "psnr", "--a", path("cmp/bf16"), "--b", path("more")}).json();
    QCOMPARE(more["value"], folders["value"]);
    QVERIFY2(more["warnings"][0].toString().startsWith("1 of 3 pictures in " + path("more") + " are left out"), qPrintable(more["warnings"][0].toString()));
  }

  void foldersHaveIntervalsAndPairedDifferences() {
    for (int i = 0; i < 8; ++i)
      for (const char* folder : {"set/a", "set/b", "set/c"}) {
        QVERIFY(QDir().mkpath(path(folder)));
        QImage image(32, 32, QImage::Format_RGB888);
        for (int y = 0; y < 32; ++y)
          for (int x = 0; x < 32; ++x)
            image.setPixel(x, y, qRgb(8 * x, 8 * y + i, (x * y * (i + 1) + (folder[4] == 'a' ? 0 : x * (folder[4] == 'b' ? 3 : 4))) % 256));
        QVERIFY(image.save(path(folder) + QString("/%1.png").arg(i)));
      }
    const QJsonObject psnr = runCli({"score", "--metric", "psnr", "--a", path("set/b"), "--b", path("set/a"), "--baseline", path("set/c")}).json();
    QVERIFY(psnr["n"].toInt() == 8 && psnr["ci95"][0].toDouble() < psnr["value"].toDouble() && psnr["value"].toDouble() < psnr["ci95"][1].toDouble());
    const QJsonObject difference = psnr["difference"].toObject();
    QVERIFY(std::abs(difference["value"].toDouble() - (psnr["value"].toDouble() - psnr["baseline"].toDouble())) < 1e-9);
    QVERIFY(difference["ci95"][0].toDouble() <= difference["value"].toDouble() && difference["n"].toInt() == 8);
    const QJsonObject kid = runCli({"score", "--metric", "kid", "--a", path("set/b"), "--b", path("set/a")}).json();
    QCOMPARE(kid["metric"].toString(), QStringLiteral("kd-clip-tiny"));
    QVERIFY(kid["n"].toInt() == 8 && kid["ci95"].isArray() && kid["weights_sha256"].toString().size() == 64 && kid["warnings"].toArray().size() == 1);
    const QJsonObject pairs = runCli({"score", "--metric", "kid", "--paired", "--a", path("set/b"), "--b", path("set/a")}).json();
    QVERIFY(pairs["published"].toDouble() == kid["value"].toDouble() && pairs["value"].toDouble() > kid["value"].toDouble());
    QVERIFY(pairs["ci95"][0].toDouble() <= pairs["value"].toDouble() && pairs["value"].toDouble() <= pairs["ci95"][1].toDouble());
    QVERIFY(QDir().mkpath(path("set/d")) && QFile::copy(path("set/a/0.png"), path("set/d/0.png")));
    QVERIFY(runCli({"score", "--metric", "kid", "--paired", "--a", path("set/b"), "--b", path("set/d")}).err.contains("1.png has no partner"));
    QVERIFY(runCli({"score", "--metric", "psnr", "--paired", "--a", path("set/b"), "--b", path("set/a")}).err.contains("--paired is of fid, kid"));
    const QJsonObject fid = runCli({"score", "--metric", "fid", "--a", path("set/b"), "--b", path("set/a"), "--save-statistics",
                                 path("set/b.npz")}).json();
    const QJsonObject again = runCli({"score", "--metric", "fid", "--a", path("set/b.npz"), "--b", path("set/a")}).json();
    QVERIFY(fid["value"].toDouble() > 0 && std::abs(fid["value"].toDouble() - again["value"].toDouble()) < 1e-6 && again["ci95"].isNull());
    const QJsonObject image = runCli({"score", "--metric", "clip-image", "--a", path("set/a"), "--b", path("set/a")}).json();
    QVERIFY(std::abs(image["value"].toDouble() - 100) < 1e-3 && image["label"].toString() == "CLIP-tiny-image");
    QVERIFY(runCli({"score", "--metric", "gmsd", "--a", path("set/b"), "--b", path("set/a")}).json()["value"].toDouble() > 0);
  }

  void foldersAreReadWholeAndWhatIsNoWholePictureIsNamed() {
    QImage image(32, 32, QImage::Format_RGB888);
    image.fill(Qt::red);
    QVERIFY(QDir().mkpath(path("mixed")));
    for (const char* name : {"mixed/a.png", "mixed/b.PNG", "mixed/c.JPG"}) QVERIFY(image.save(path(name), QByteArray(name).endsWith("JPG") ? "JPG" : "PNG"));
    QCOMPARE(runCli({"score", "--metric", "ssim", "--a", path("mixed"), "--b", path("mixed")}).json()["n"].toInt(), 3);
    const Outcome one = runCli({"score", "--metric", "fid", "--a", path("mixed/b.PNG"), "--b", path("mixed")});
    QVERIFY2(one.code == 1 && one.err.contains("b.PNG: one picture is no set"), one.err);
    QFile whole(path("mixed/a.png")), cut(path("cut.png"));
    QVERIFY(whole.open(QIODevice::ReadOnly) && cut.open(QIODevice::WriteOnly));
    const QByteArray bytes = whole.readAll();
    QVERIFY(cut.write(bytes.chopped(20)) == bytes.size() - 20);
    cut.close();
    const Outcome broken = runCli({"score", "--metric", "psnr", "--a", path("cut.png"), "--b", path("mixed/a.png")});
    QCOMPARE(broken.code, 1);
    QCOMPARE(QString::fromUtf8(broken.err), QStringLiteral("quantspot-cli: %1: it is cut off: its end is missing\n").arg(path("cut.png")));   // one line
  }

  void latentsAreCompared() {
    for (const char* precision : {"bf16", "bnb-nf4"})
      QCOMPARE(runCli(QStringList{"generate", "--precision", precision, "--prompt", "a fox", "--out", path("l.png"), "--latents-out",
                               path(precision) + ".safetensors"} + kSmall).code, 0);
    const QJsonObject error = runCli({"score", "--metric", "latent", "--a", path("bnb-nf4.safetensors"), "--b", path("bf16.safetensors")}).json();
    QVERIFY(error["value"].toDouble() > 0 && error["value"].toDouble() < 1 && error["cosine"].toDouble() > 0.5 && error["cosine"].toDouble() < 1);
    QCOMPARE(runCli({"score", "--metric", "latent", "--a", path("bf16.safetensors"), "--b", path("bf16.safetensors")}).json()["value"].toDouble(),
        0.0);
  }

  void weightsOfMetricsAreListed() {
    const QJsonObject list = runCli({"metrics", "list"}, {"QUANTSPOT_METRICS=" + path("metrics")}).json();
    QCOMPARE(list["folder"].toString(), path("metrics"));
    QVERIFY(list["metrics"].toArray().size() >= 8);
    const Outcome lpips = runCli({"score", "--metric", "lpips", "--a", path("a.png"), "--b", path("b.png")},
        {"QUANTSPOT_METRICS=" + path("metrics")});
    QVERIFY(lpips.code == 1 && lpips.err.contains("quantspot-cli metrics download lpips-alex"));
    QCOMPARE(runCli({"metrics", "download", "beauty"}).code, 2);
  }

  void clipScoresAFolderAgainstItsLines() {
    QFile prompts(path("prompts.txt"));
    QVERIFY(prompts.open(QIODevice::WriteOnly));
    prompts.write("a fox\na pizza\n");
    prompts.close();
    const Outcome result = runCli({"score", "--metric", "clip", "--images", path("cmp/bf16"), "--prompts", path("prompts.txt")});
    QVERIFY2(result.code == 0, result.err);
    QVERIFY(result.json()["n"].toInt() == 2 && result.json()["weights_sha256"].toString().size() == 64);
    QCOMPARE(result.json()["label"].toString(), QStringLiteral("CLIP-tiny"));
    const Outcome uneven = runCli({"score", "--metric", "clip", "--images", path("cmp"), "--prompts", path("prompts.txt")});
    QCOMPARE(uneven.code, 1);
  }

  void modelsAndLayersAreListed() {
    const QJsonArray models = runCli({"models", "list"}).json()["models"].toArray();
    QCOMPARE(models[0]["name"].toString(), QStringLiteral("default"));
    QVERIFY(QDir(runCli({"models", "path"}).json()["path"].toString()).exists("model_index.json"));
    const QJsonObject layers = runCli({"inspect", "--model", "default", "--precision", "bnb-int8"}).json();
    QVERIFY(layers["layers"].toArray().size() > 100 && layers["weights_sha256"].toString().size() == 64);
  }

  void foldersOfModelsAreFound() {
    QVERIFY(QDir().mkpath(path("models")));
    QVERIFY(QFile::link(QStringLiteral(QUANTSPOT_SOURCE_DIR "/resources/default_model"), path("models/mine")));
    const QStringList environment = {"QUANTSPOT_MODELS=" + path("nowhere") + ":" + path("models")};
    QCOMPARE(runCli({"models", "list"}, environment).json()["models"][1]["name"].toString(), QStringLiteral("mine"));
    QCOMPARE(runCli({"models", "path", "mine"}, environment).json()["path"].toString(), path("models/mine"));
  }

  void exitCodesSayWhoIsWrong_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    const QString png = path("z.png");
    QTest::newRow("help") << QStringList{"--help"} << 0 << "";
    QTest::newRow("version") << QStringList{"--version"} << 0 << "";
    QTest::newRow("no command") << QStringList{} << 2 << "a command is missing";
    QTest::newRow("unknown command") << QStringList{"draw"} << 2 << "there is no command 'draw'";
    QTest::newRow("no prompt") << QStringList{"generate", "--out", png} << 2 << "--prompt";
    QTest::newRow("no number") << QStringList{"generate", "--out", png, "--prompt", "x", "--steps", "many"} << 2 << "--steps";
    QTest::newRow("precision") << QStringList{"generate", "--out", png, "--prompt", "x", "--precision", "bnb-nf5"} << 2 << "bnb-nf5";
    QTest::newRow("size") << QStringList{"generate", "--out", png, "--prompt", "x", "--width", "100"} << 2 << "width = 100";
    QTest::newRow("device") << QStringList{"generate", "--out", png, "--prompt", "x", "--device", "tpu"} << 2 << "tpu";
    QTest::newRow("memory") << QStringList{"generate", "--out", png, "--prompt", "x", "--max-memory", "6 elephants"} << 2 << "6 elephants";
    QTest::newRow("steps") << QStringList{"generate", "--out", png, "--prompt", "x", "--precision", "bf16@1-"} << 2 << "begin with step 0";
    QTest::newRow("lora") << QStringList{"generate", "--out", png, "--prompt", "x", "--lora", "none.safetensors:0.5"} << 1 << "none.safetensors";
    QTest::newRow("packed folder") << QStringList{"quantize", "--precision", "bnb-nf4", "--out", folder_.path()} << 2 << "already there";
    QTest::newRow("no such model") << QStringList{"generate", "--out", png, "--prompt", "x", "--model", "/nowhere"} << 1 << "/nowhere";
    QTest::newRow("no such latents") << QStringList{"generate", "--out", png, "--prompt", "x", "--latents-in",
        "/nowhere.safetensors"} << 1 << "/nowhere.safetensors";
    QTest::newRow("nowhere to write") << QStringList{"generate", "--out", "/nowhere/z.png", "--prompt", "x"} + kSmall << 1 << "/nowhere/z.png";
    QTest::newRow("both prompts") << QStringList{"compare", "--out", path("q"), "--prompt", "x", "--prompts", "y"} << 2 << "prompt";
    QTest::newRow("seeds") << QStringList{"compare", "--out", path("q"), "--prompt", "x", "--seeds", "9..0"} << 2 << "9..0";
    QTest::newRow("twice") << QStringList{"compare", "--out", path("q"), "--prompt", "x", "--precisions", "bf16,bf16"} << 2 << "twice";
    QTest::newRow("no size") << QStringList{"generate", "--out", png, "--prompt", "x", "--width", "0"} << 2 << "--width";
    QTest::newRow("no steps") << QStringList{"recommend", "--steps", "0"} << 2 << "--steps";
    QTest::newRow("choice twice") << QStringList{"recommend", "--precisions", "bf16,bnb-nf4,bf16"} << 2 << "bf16 twice";
    QTest::newRow("five hundred percent") << QStringList{"recommend", "--min-clip-change", "5"} << 2 << "write 5% or 0.05";
    QTest::newRow("memory of a machine") << QStringList{"recommend", "--hardware", "cpu:much"} << 2 << "memory 'much' is no size";
    QTest::newRow("instructions of a GPU") << QStringList{"recommend", "--hardware", "gpu:20GiB,avx2"} << 2 << "not 'avx2'";
    QTest::newRow("more than all people") << QStringList{"recommend", "--max-visible", "120%"} << 2 << "no share of people";
    QTest::newRow("metric") << QStringList{"score", "--metric", "beauty"} << 2 << "beauty";
    QTest::newRow("half a pair") << QStringList{"score", "--metric", "psnr", "--a", png} << 2 << "--b";
    QTest::newRow("a folder and a picture") << QStringList{"score", "--metric", "psnr", "--a", folder_.path(), "--b", png} << 2 << "two folders";
    QTest::newRow("no picture") << QStringList{"score", "--metric", "psnr", "--a", QUANTSPOT_CLI, "--b", QUANTSPOT_CLI} << 1 << "no picture";
  }
  void exitCodesSayWhoIsWrong() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, word);
    const Outcome result = runCli(arguments);
    QVERIFY2(result.code == code, result.err + result.out);
    QVERIFY2(result.err.contains(word.toUtf8()), result.err);
    if (code != 0) QVERIFY2(result.out.isEmpty(), result.out);
  }
};

QTEST_GUILESS_MAIN(CliTest)
#include "cli_test.moc"
