// quantspot-study import-images: from pictures of another program to a frozen study, without a window.
#include "study/freeze.h"
#include "study/zip_file.h"
#include "tests/study/shaded_picture.h"

#include <QDir>
#include <QFile>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using test::picture;

namespace {

struct Run {
  int code = -1;
  QByteArray out, err;
  const QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
};

}  // namespace

class ImportImagesTest : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;

  QString path(const QString& name = {}) const { return folder_->filePath(name); }
  Run study(const QStringList& arguments) const {
    QProcess process;
    QStringList environment = QProcess::systemEnvironment();
    environment << QStringLiteral("QUANTSPOT_PASSPHRASE=four words are enough");
    process.setEnvironment(environment);
    process.setWorkingDirectory(path());
    process.start(QStringLiteral(QUANTSPOT_STUDY), arguments);
    process.waitForFinished(60000);
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAllStandardOutput(), process.readAllStandardError()};
  }
  void save(const QString& name, QImage image) const {
    QVERIFY(QDir().mkpath(QFileInfo(path(name)).path()));
    image.setText(QStringLiteral("parameters"), QStringLiteral("precision: nf4"));
    QVERIFY(image.save(path(name)));
  }
  void saveSet() const {
    for (int i = 0; i < 3; ++i) {
      const QString name = QStringLiteral("/fox%1-seed%2.png").arg(i).arg(7 + i);
      save("made/nf4" + name, picture(50 + i)), save("made/bf16" + name, picture(10 + i)), save("made/my own+q4" + name, picture(90 + i));
    }
  }
  QByteArray contents(const QString& name) const {
    QFile file(path(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  }

 private Q_SLOTS:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void picturesBecomeAFrozenStudy() {
    saveSet();
    const Run made = study({"import-images", "made"});
    QVERIFY2(made.code == 0, made.err.constData());
    QCOMPARE(made.json()["pictures"].toInt(), 9);
    QCOMPARE(made.json()["reference"].toString(), QStringLiteral("bf16"));
    const QString first = "study-images/0001-seed7/";
    QVERIFY(QImage(path(first + "nf4.png")).convertToFormat(QImage::Format_RGB888) == picture(50));
    QVERIFY(!contents(first + "nf4.png").contains("parameters"));
    QVERIFY(QFile::exists(path(first + study::variantFileName("my own+q4") + ".png")));
    const Run frozen = study({"new", "--protocol", "study-images/protocol.json", "--images", "study-images", "--store", "store.sqlite"});
    QVERIFY2(frozen.code == 0, frozen.err.constData());
    QCOMPARE(frozen.json()["pictures"].toInt(), 9);
    QCOMPARE(frozen.json()["study"].toString().size(), 64);
    QVERIFY2(study({"status", "--store", "store.sqlite"}).code == 0, "status");
  }

  // Also that the file was a JPEG, and what the list states; changed afterwards, it is not what was imported.
  void whatIsKnownOfThemIsFrozen() {
    save("a.png", picture(10)), save("b.jpg", picture(60));
    QFile list(path("list.csv"));
    QVERIFY(list.open(QIODevice::WriteOnly));
    list.write("prompt,precision,file,seconds,bytes\na fox,bf16,a.png,3.5,1000\na fox,q4,b.jpg,2,400\n");
    list.close();
    QVERIFY2(study({"import-images", "list.csv", "--out", "there"}).code == 0, "import");
    const QStringList freeze{"new", "--protocol", "there/protocol.json", "--images", "there", "--store", "store.sqlite"};
    const Run frozen = study(freeze);
    QVERIFY2(frozen.code == 0 && frozen.out.contains("Not known: starting noise"), (frozen.err + frozen.out).constData());
    QVERIFY2(study({"close", "--store", "store.sqlite"}).code == 0, "close");
    QVERIFY2(study({"export", "--store", "store.sqlite", "--out", "bundle.zip"}).code == 0, "export");
    QMap<QString, QByteArray> files;
    for (const auto& [name, data] : study::readZip(contents("bundle.zip"))) files[name] = data;
    const QJsonValue facts = QJsonDocument::fromJson(files["mapping.json"])["attested"]["0001-seed0"]["q4"];
    QCOMPARE(facts["source_format"].toString(), QStringLiteral("jpeg"));
    QCOMPARE(facts["source_mode"].toString(), QStringLiteral("RGB"));
    QCOMPARE(facts["stated_seconds"].toDouble(), 2.0);
    QCOMPARE(facts["stated_weight_bytes"].toInt(), 400);
    QCOMPARE(facts["image_sha256"].toString().size(), 64);
    QVERIFY(facts["gate"]["gmsd"].toDouble() > 0);
    QVERIFY(!files["frozen.json"].contains("image_sha256"));
    save("there/0001-seed0/q4.png", picture(61));
    const Run changed = study(freeze);
    QVERIFY2(changed.code == 1 && changed.err.contains("is not the one that the protocol attests"), changed.err.constData());
  }

  void theGateIsOverruledByAFlag() {
    for (const char* variant : {"bf16", "q8", "q6", "q4"})
      save(QStringLiteral("made/%1/fox.png").arg(QLatin1String(variant)), picture(100 + variant[1] % 7));
    QImage broken = picture(100);
    broken.invertPixels();
    save("made/q4/fox.png", broken);
    QVERIFY2(study({"import-images", "made"}).code == 0, "import");
    const QStringList freeze{"new", "--protocol", "study-images/protocol.json", "--images", "study-images", "--store", "store.sqlite"};
    const Run refused = study(freeze);
    QVERIFY2(refused.code == 1 && refused.err.contains("the picture of q4 is far from all others") && refused.err.contains("--overrule-gate"),
             refused.err.constData());
    const Run taken = study(freeze + QStringList{"--overrule-gate"});
    QVERIFY2(taken.code == 0 && taken.out.contains("overruled for 1 of 1 comparison"), (taken.err + taken.out).constData());
  }

  void aListKeepsPromptsAndSeeds() {
    save("a.jpg", picture(10)), save("b.png", picture(60));
    QFile list(path("list.json"));
    QVERIFY(list.open(QIODevice::WriteOnly));
    list.write(R"([{"prompt":"a fox","seed":7,"precision":"q8","file":"a.jpg"},{"prompt":"a fox","seed":7,"precision":"q4","file":"b.png"}])");
    list.close();
    const Run made = study({"import-images", "list.json", "--out", "there"});
    QVERIFY2(made.code == 0, made.err.constData());
    const QJsonObject protocol = QJsonDocument::fromJson(contents("there/protocol.json")).object();
    QCOMPARE(protocol["reference"].toString(), QStringLiteral("q8"));
    QCOMPARE(protocol["comparisons"].toArray()[0].toObject()["prompt"].toString(), QStringLiteral("a fox"));
    const QJsonArray sources = QJsonDocument::fromJson(contents("there/sources.json")).array();
    QCOMPARE(sources.size(), 2);
    QCOMPARE(sources[0].toObject()["source_sha256"].toString().size(), 64);
    QVERIFY2(study({"new", "--protocol", "there/protocol.json", "--images", "there", "--store", "store.sqlite"}).code == 0, "freeze");
  }

  void everyOffenderIsNamedAndNothingIsWritten() {
    saveSet();
    save("made/nf4/fox0-seed7.png", picture(5, {16, 24}));
    save("made/nf4/fox1-seed8.png", picture(11));                                            // bf16's own
    save("made/bf16/fox2-seed9.png", picture(1).convertToFormat(QImage::Format_RGBX64));
    const Run refused = study({"import-images", "made", "--out", "out"});
    QCOMPARE(refused.code, 1);
    for (const char* word : {"fox0-seed7.png (nf4) is 16 x 24", "fox1-seed8.png (nf4) is the picture of bf16", "fox2-seed9.png (bf16) has 16 bits"})
      QVERIFY2(refused.err.contains(word), refused.err.constData());
    QCOMPARE(refused.err.count('\n'), 1);
    QCOMPARE(QDir(path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot), QStringList({"made"}));
  }

  void eachComparisonShowsEachVariant() {
    for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) save(name, picture(10 * name[0] % 200));
    QFile list(path("list.csv"));
    QVERIFY(list.open(QIODevice::WriteOnly));
    list.write("prompt,precision,file\na fox,bf16,a.png\na fox,q8,b.png\nan owl,bf16,c.png\nan owl,q4,d.png\n");
    list.close();
    const Run refused = study({"import-images", "list.csv"});
    QVERIFY2(refused.code == 1 && refused.err.contains("'a fox', seed 0: q4 is missing") && refused.err.contains("'an owl', seed 0: q8 is missing"),
             refused.err.constData());
  }

  void whatIsThereStays() {
    saveSet();
    QVERIFY(QDir().mkpath(path("study-images")));
    const Run refused = study({"import-images", "made"});
    QVERIFY2(refused.code == 2 && refused.err.contains("already there"), refused.err.constData());
    QVERIFY2(study({"import-images", "nowhere", "--out", "x"}).err.contains("is not there"), "nowhere");
  }
};

QTEST_GUILESS_MAIN(ImportImagesTest)
#include "import_images_test.moc"
