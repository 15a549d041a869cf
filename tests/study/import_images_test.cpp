// quantspot-study import-images: from pictures of another program to a frozen study, without a window.
#include "study/freeze.h"
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
