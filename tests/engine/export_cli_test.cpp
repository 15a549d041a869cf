// `quantspot-cli export` as a script meets it: judged pictures and their reports go in, and only theirs.
#include "tests/engine/cli_process.h"

#include <QCryptographicHash>
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

const QString kModel = QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/export/pipeline");

QByteArray contents(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}
QJsonObject jsonOf(const QString& path) { return QJsonDocument::fromJson(contents(path)).object(); }
QString sha256(const QByteArray& bytes) { return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex()); }

}  // namespace

class ExportCliTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString path(const QString& name) const { return folder_.filePath(name); }
  Outcome write(const QString& out, const QStringList& more, const QString& precision = QStringLiteral("bnb-nf4")) const {
    return runCli(QStringList{"export", "--model", kModel, "--precision", precision, "--out", path(out)} + more);
  }

 private Q_SLOTS:
  void initTestCase() {
    const Outcome drawn = runCli({"generate", "--model", kModel, "--precision", "bnb-nf4", "--prompt", "two \"owls\"", "--seed", "9", "--steps", "2",
        "--width", "16", "--height", "32",
                               "--max-sequence-length", "16", "--out", path("owl.png"), "--report", path("owl.json")});
    QVERIFY2(drawn.code == 0, drawn.err);
    const Outcome compared = runCli({"compare", "--model", kModel, "--precisions", "bf16,bnb-nf4", "--prompt", "one pizza", "--seeds", "1,2",
        "--steps", "2", "--width", "16", "--height", "32",
                                  "--max-sequence-length", "16", "--out", path("compared")});
    QVERIFY2(compared.code == 0, compared.err);
  }

  void theJudgedPictureIsInTheManifestAndItsRecipeInTheScript() {
    const Outcome written = write("deploy", {"--images", path("owl.png")});
    QVERIFY2(written.code == 0, written.err);
    const QJsonObject manifest = jsonOf(path("deploy/manifest.json")), image = manifest["images"].toArray()[0].toObject();
    QCOMPARE(image["file_sha256"].toString(), sha256(contents(path("owl.png"))));
    QCOMPARE(image["image_sha256"], jsonOf(path("owl.json"))["image_sha256"]);
    QCOMPARE(manifest["model"].toObject()["weights_sha256"], jsonOf(path("owl.json"))["model"].toObject()["weights_sha256"]);
    const QByteArray script = contents(path("deploy/run.py"));
    for (const char* line : {"prompt=\"two \\\"owls\\\"\"", "manual_seed(9)", "num_inference_steps=2", "width=16",
        "max_sequence_length=16"}) QVERIFY2(script.contains(line), line);
    QVERIFY(script.contains("judged = \"" + image["image_sha256"].toString().toLatin1()));
    QCOMPARE(QJsonDocument::fromJson(written.out).object()["images"].toInt(), 1);
  }

  void noWordsAreAPromptToo() {
    const Outcome written = write("wordless", {"--prompt", "", "--seed", "3", "--width", "16", "--height", "32"});
    QVERIFY2(written.code == 0, written.err);
    const QByteArray script = contents(path("wordless/run.py"));
    QVERIFY2(script.contains("prompt=\"\"") && script.contains("manual_seed(3)"), script);
  }

  void aModelThatSaysItsSizeIsDrawnInIt() {
    const QString model = QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/sd_a/pipeline");
    const Outcome written = runCli({"export", "--model", model, "--precision", "bf16", "--prompt", "x", "--out", path("own")});
    QVERIFY2(written.code == 0, written.err);
    const QByteArray script = contents(path("own/run.py"));
    QVERIFY2(script.contains("width=64") && script.contains("height=64"), script);   // sample_size 8, eight pixels each
    const Outcome asked = runCli({"recommend", "--model", model, "--precisions", "bf16"});
    QVERIFY2(asked.code == 0, asked.err);
    const QJsonObject size = QJsonDocument::fromJson(asked.out).object();
    QCOMPARE(size["width"].toInt(), 64);
    QCOMPARE(size["height"].toInt(), 64);
  }

  void aComparisonGivesItsPicturesOfThisVariant() {
    const Outcome written = write("compared-deploy", {"--images", path("compared")});
    QVERIFY2(written.code == 0, written.err);
    const QJsonArray images = jsonOf(path("compared-deploy/manifest.json"))["images"].toArray();
    QCOMPARE(images.size(), 2);
    for (const QJsonValue& image : images) QVERIFY(image["file"].toString().startsWith("bnb-nf4/"));
    const Outcome folder = write("folder-deploy", {"--images", path("compared/bnb-nf4")});   // with the comparison's recipes
    QVERIFY2(folder.code == 0, folder.err);
    QCOMPARE(jsonOf(path("folder-deploy/manifest.json"))["images"].toArray().size(), 2);
    QVERIFY(contents(path("folder-deploy/run.py")).contains("one pizza"));
  }

  void otherPicturesAreRefused_data() {
    QTest::addColumn<QString>("precision");
    QTest::addColumn<QStringList>("more");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    QTest::newRow("another variant") << "bnb-int8" << QStringList{"--images", path("owl.png")} << 1 << "another variant";
    QTest::newRow("not compared") << "bnb-int8" << QStringList{"--images", path("compared")} << 1 << "no picture of bnb-int8";
    QTest::newRow("its folder of another variant") << "bnb-int8" << QStringList{"--images", path("compared/bnb-nf4"), "--prompt", "x"} << 1
                                                   << "the comparison's report.json speaks of another variant";
    QTest::newRow("a picture of another variant") << "bnb-nf4" << QStringList{"--images", path("compared/bf16/0000-seed1.png"), "--prompt", "x"} << 1
                                                  << "speaks of another variant than bnb-nf4";
    QTest::newRow("nowhere") << "bnb-nf4" << QStringList{"--images", path("nowhere")} << 1 << "is not there";
    QTest::newRow("no recipe") << "bnb-nf4" << QStringList{} << 2 << "no recipe";
    QTest::newRow("size") << "bnb-nf4" << QStringList{"--prompt", "x", "--width", "100"} << 2 << "width = 100";
    QTest::newRow("no folder") << "bnb-nf4" << QStringList{"--prompt", "x", "--out", "/nowhere/x"} << 2 << "--out";
    QTest::newRow("precision") << "bnb-nf5" << QStringList{"--prompt", "x"} << 2 << "bnb-nf5";
  }
  void otherPicturesAreRefused() {
    QFETCH(QString, precision);
    QFETCH(QStringList, more);
    QFETCH(int, code);
    QFETCH(QString, word);
    const Outcome refused = write("refused", more, precision);
    QVERIFY2(refused.code == code && refused.err.contains(word.toUtf8()), refused.err);
    QVERIFY(!QFile::exists(path("refused")) && !QFile::exists(path("refused.part")));
  }

  void aPictureThatWasChangedIsRefused() {
    QImage changed(path("owl.png"));
    changed.setPixelColor(0, 0, changed.pixelColor(0, 0) == QColor(Qt::red) ? Qt::blue : Qt::red);
    QVERIFY(changed.save(path("other.png")) && QFile::copy(path("owl.json"), path("other.json")));
    const Outcome refused = write("changed", {"--images", path("other.png")});
    QVERIFY2(refused.code == 1 && refused.err.contains("not the picture that its report speaks of"), refused.err);
  }
};

QTEST_GUILESS_MAIN(ExportCliTest)
#include "export_cli_test.moc"
