// `quantspot-cli import` as a script meets it: pictures made elsewhere become a scored comparison.
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

Outcome import(const QStringList& arguments) { return runCli(QStringList{"import"} + arguments); }

QImage picture(int shade, QSize size = {48, 32}) {
  QImage image(size, QImage::Format_RGB888);
  for (int y = 0; y < size.height(); ++y)
    for (int x = 0; x < size.width(); ++x) image.setPixelColor(x, y, QColor(shade, 5 * x, 5 * y));
  return image;
}

}  // namespace

class ImportTest : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;
  QString path(const QString& name = {}) const { return folder_->filePath(name); }
  void save(const QString& name, QImage image) const {
    QVERIFY(QDir().mkpath(QFileInfo(path(name)).path()));
    image.setText(QStringLiteral("parameters"), QStringLiteral("who made this"));
    QVERIFY(image.save(path(name)));
  }
  void write(const QString& name, const QByteArray& bytes) const {
    QFile file(path(name));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
  }

 private Q_SLOTS:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void aListBecomesAScoredComparison() {
    save("a.png", picture(10)), save("b.png", picture(30)), save("c.jpg", picture(10));
    write("list.csv", "prompt,seed,precision,file,seconds,bytes\na fox,7,bf16,a.png,1.5,1000\na fox,7,bnb-nf4,b.png,1.2,300\na fox,7,my own,c.jpg,,\n");
    const Outcome made = import({path("list.csv"), "--out", path("out")});
    QVERIFY2(made.code == 0, made.err);
    QFile file(path("out/report.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject report = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonObject comparison = report["comparisons"].toArray()[0].toObject();
    QCOMPARE(comparison["recipe"].toObject()["prompt"].toString(), QStringLiteral("a fox"));
    const QJsonArray samples = comparison["samples"].toArray();
    QCOMPARE(samples.size(), 3);
    const auto score = [&](int i, const char* metric) { return samples[i].toObject()["scores"].toObject()[metric].toDouble(); };
    for (int i = 0; i < 3; ++i) QVERIFY(samples[i].toObject()["scores"].toObject()["clip"].isDouble());
    QCOMPARE(report["labels"].toObject()["clip"].toString(), QStringLiteral("CLIP-tiny score"));
    QFile page(path("out/report.html")), table(path("out/summary.csv"));
    QVERIFY(page.open(QIODevice::ReadOnly) && table.open(QIODevice::ReadOnly));
    const QByteArray html = page.readAll();
    QVERIFY(html.contains("<th>CLIP-tiny score</th>") && html.contains("CLIP-tiny score change") && !html.contains("CLIP score"));
    QVERIFY(table.readAll().contains(",clip-tiny,mean,"));
    QVERIFY(score(1, "psnr") > 20 && score(2, "ssim") > 0.5);
    QCOMPARE(samples[0].toObject()["report"].toObject()["seconds"].toObject()["total"].toDouble(), 1.5);
    // What the list says is a figure, what nobody measured is none.
    QJsonObject bySummary;
    for (const QJsonValue& row : report["summary"].toArray()) bySummary[row["precision"].toString()] = row["figures"];
    const QJsonObject nf4 = bySummary["bnb-nf4"].toObject(), mine = bySummary["my own"].toObject();
    QCOMPARE(nf4["latency"].toObject()["value"].toDouble(), 1.2);
    QCOMPARE(nf4["throughput"].toObject()["value"].toDouble(), 50.0);
    QCOMPARE(nf4["weights"].toObject()["value"].toDouble(), 300.0);
    QVERIFY(!nf4.contains("memory") && !nf4.contains("step") && !mine.contains("latency") && !mine.contains("total") && !mine.contains("weights"));
    QVERIFY(!html.contains("0.00 s") && !html.contains("steps 0") && !html.contains(">0 B<"));
    QFile kept(path("out/" + samples[1].toObject()["image"].toString()));
    QVERIFY(kept.open(QIODevice::ReadOnly));
    const QByteArray png = kept.readAll();
    QVERIFY(!png.contains("who made this") && QImage::fromData(png, "PNG").convertToFormat(QImage::Format_RGB888) == picture(30));
    QVERIFY(QFile::exists(path("out/report.html")) && QFile::exists(path("out/my+own/0000-seed7.png")));
    // What came out can be taken in again.
    QVERIFY(import({path("out"), "--out", path("again")}).code == 0);
  }

  void whatDoesNotFitIsToldAtOnce() {
    save("bf16/a.png", picture(10)), save("nf4/a.png", picture(10, {32, 48}));
    save("bf16/b.png", picture(10)), save("nf4/b.png", picture(20));
    write("nf4/b.png", QByteArray("\0\0\0\x1c" "ftypavif", 12) + QByteArray(50, 0));
    const Outcome refused = import({path(), "--out", path("out")});
    QCOMPARE(refused.code, 1);
    QVERIFY2(refused.err.contains("a.png (nf4) is 32 x 48") && refused.err.contains("b.png (nf4) is an AVIF picture") && refused.err.count('\n') == 1, refused.err);
    QVERIFY(!QFile::exists(path("out")) && !QFile::exists(path("out.part")));
  }

  // Grey, palettes and opaque alpha are the pixels that they show; what decoders read in more than one way is refused.
  void kindsOfPng_data() {
    QTest::addColumn<QImage>("image");
    QTest::addColumn<QString>("refusal");
    QImage clear = picture(10).convertToFormat(QImage::Format_ARGB32);
    QTest::newRow("opaque alpha") << clear << QString();
    clear.setPixelColor(3, 4, QColor(1, 2, 3, 200));
    QTest::newRow("transparent") << clear << "transparent in places";
    QTest::newRow("palette") << picture(10).convertToFormat(QImage::Format_Indexed8) << QString();
    QTest::newRow("transparent palette") << clear.convertToFormat(QImage::Format_Indexed8) << "transparent in places";
    QTest::newRow("grey") << picture(10).convertToFormat(QImage::Format_Grayscale8) << QString();
    QTest::newRow("black and white") << picture(10).convertToFormat(QImage::Format_Mono) << QString();
    QTest::newRow("16 bits") << picture(10).convertToFormat(QImage::Format_RGBX64) << "16 bits a channel";
    QTest::newRow("16 bits of grey") << picture(10).convertToFormat(QImage::Format_Grayscale16) << "16 bits a channel";
  }
  void kindsOfPng() {
    QFETCH(QImage, image);
    QFETCH(QString, refusal);
    save("bf16/a.png", image), save("other/a.png", picture(99));
    const Outcome made = import({path(), "--out", path("out")});
    QVERIFY2(made.code == (refusal.isEmpty() ? 0 : 1) && made.err.contains(refusal.toUtf8()), made.err);
    if (!refusal.isEmpty()) return;
    QVERIFY(QImage(path("out/bf16/0000-seed0.png")).convertToFormat(QImage::Format_RGB888) == image.convertToFormat(QImage::Format_RGB888));
  }

  // As an evaluation of our own: each metric that needs no download, of pictures and of sets, and the sets are of what all precisions have.
  void theyAreScoredLikeOurOwn() {
    for (int i = 0; i < 7; ++i) {
      const QString name = QStringLiteral("%1-seed%2.png").arg(QChar(u'a' + i)).arg(i);
      save("bf16/" + name, picture(10 + 20 * i)), save("nf4/" + name, picture(12 + 20 * i));
    }
    QVERIFY(import({path(), "--out", path("out")}).code == 0);
    QFile file(path("out/report.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject report = QJsonDocument::fromJson(file.readAll()).object();
    QCOMPARE(report["sets"]["n"].toInt(), 7);
    QCOMPARE(report["sets"]["against"].toString(), QStringLiteral("bf16"));
    QVERIFY(report["sets"]["published"]["nf4"].toObject().contains("kd-clip-tiny"));
    const QJsonObject figures = report["summary"][1]["figures"].toObject();
    for (const char* id : {"psnr", "ssim", "gmsd", "fd-clip-tiny", "kd-clip-tiny"}) {
      QVERIFY2(figures[id]["value"].isDouble() && figures[id]["ci95"].isArray() && figures[id]["n"].toInt() == 7, id);
      QVERIFY2(!report["summary"][0]["figures"].toObject().contains(id), id);
    }
    QVERIFY(!figures.contains("fid") && !figures.contains("kid"));
  }

  void aFilesNameIsNoPrompt() {
    save("bf16/fox-seed7.png", picture(10)), save("nf4/fox-seed7.png", picture(20));
    for (const bool told : {false, true}) {
      if (told) write("prompts.txt", "a fox\n");
      const QString out = path(told ? "told" : "out");
      QVERIFY(import({path(), "--out", out}).code == 0);
      QFile file(out + "/report.json");
      QVERIFY(file.open(QIODevice::ReadOnly));
      const QJsonArray comparisons = QJsonDocument::fromJson(file.readAll()).object()["comparisons"].toArray();
      QCOMPARE(comparisons.size(), 1);
      QCOMPARE(comparisons[0]["samples"][1]["scores"]["clip"].isDouble(), told);
      QDir(out).removeRecursively();
    }
  }

  void nothingIsOverwritten() {
    save("bf16/a.png", picture(10)), save("nf4/a.png", picture(20));
    const Outcome refused = import({path(), "--out", path("bf16")});
    QVERIFY2(refused.code == 2 && refused.err.contains("already there"), refused.err);
  }
};

QTEST_GUILESS_MAIN(ImportTest)
#include "import_test.moc"
