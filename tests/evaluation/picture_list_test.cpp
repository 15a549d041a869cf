// Lists of pictures made elsewhere: what belongs together, and everything that is wrong with a list at once.
#include "evaluation/picture_file.h"
#include "evaluation/picture_list.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <functional>

using namespace quantspot::evaluation;

class PictureListTest : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;
  std::filesystem::path path(const char* name = "") const { return std::filesystem::path(folder_->path().toStdString()) / name; }
  void write(const QString& name, const QByteArray& bytes = "x") const {
    QVERIFY(QDir().mkpath(QFileInfo(folder_->filePath(name)).path()));
    QFile file(folder_->filePath(name));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
  }
  QString complaint(const char* name = "") const {
    try {
      readPictureList(path(name));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return QStringLiteral("nothing");
  }

 private Q_SLOTS:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void foldersAreNamedByPrecision() {
    for (const char* name : {"nf4/0001-seed7.png", "bf16/0001-seed7.jpg", "nf4/a.webp", "bf16/a.png", "bf16/notes.txt"}) write(name);
    const auto all = readPictureList(path());
    QCOMPARE(all.size(), std::size_t{2});
    QCOMPARE(all[0].prompt, std::string("0001-seed7"));
    QCOMPARE(all[0].seed, std::uint64_t{7});
    QCOMPARE(all[0].pictures.size(), std::size_t{2});
    QCOMPARE(all[0].pictures[0].precision, std::string("bf16"));   // the reference first
    QCOMPARE(all[1].pictures[1].file, std::filesystem::weakly_canonical(path("nf4/a.webp")));
    QVERIFY(!all[0].promptTold && !all[1].promptTold);
    write("prompts.txt", "a fox\n\na bear\n");
    QCOMPARE(readPictureList(path())[1].prompt, std::string("a bear"));
    QVERIFY(readPictureList(path())[1].promptTold);
    write("prompts.txt", "a fox\n");
    QVERIFY(complaint().contains("1 prompts for 2 pictures"));
  }

  void otherPicturesAreNotMissed() {
    for (const char* name : {"bf16/a.png", "nf4/a.GIF"}) write(name);
    QCOMPARE(readPictureList(path())[0].pictures[1].file.filename().string(), std::string("a.GIF"));   // refused by its bytes, by name
  }

  void whatAFolderLacksIsTold() {
    for (const char* name : {"bf16/a.png", "bf16/b.png", "nf4/a.png", "nf4/a.jpg"}) write(name);
    const QString said = complaint();
    QVERIFY2(said.contains("nf4/b: is missing") && said.contains("another ending"), qPrintable(said));
  }

  void tablesAndListsAreRead() {
    for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) write(name);
    write("list.csv", "\xEF\xBB\xBFprompt,seed,precision,file,seconds,bytes\r\n\"a fox, \"\"red\"\"\",7,bf16,a.png,1.5,1000\r\n\"a fox, \"\"red\"\"\",7,nf4,b.png,,\r\n");
    const auto all = readPictureList(path("list.csv"));
    QCOMPARE(all.size(), std::size_t{1});
    QCOMPARE(all[0].prompt, std::string("a fox, \"red\""));
    QCOMPARE(all[0].pictures[0].seconds, std::optional<double>(1.5));
    QCOMPARE(all[0].pictures[0].bytes, std::optional<std::int64_t>(1000));
    QVERIFY(!all[0].pictures[1].seconds && !all[0].pictures[1].bytes);
    write("list.json", R"([{"prompt":"x","seed":18446744073709551615,"precision":"mine","file":"c.png"},{"prompt":"x","seed":18446744073709551615,"precision":"other","file":"d.png","seconds":null}])");
    QCOMPARE(readPictureList(path("list.json"))[0].seed, ~std::uint64_t{0});
  }

  void everyOffenderIsTold_data() {
    QTest::addColumn<QString>("rows");
    QTest::addColumn<QString>("word");
    QTest::newRow("missing") << "x,1,bf16,a.png\nx,1,nf4,none.png" << "line 3: 'none.png' is not there";
    QTest::newRow("above") << "x,1,bf16,a.png\nx,1,nf4,../b.png" << "line 3: '../b.png' lies outside";
    QTest::newRow("around") << "x,1,bf16,a.png\nx,1,nf4,sub/../../b.png" << "lies outside";
    QTest::newRow("absolute") << "x,1,bf16,a.png\nx,1,nf4,/etc/passwd" << "lies outside";
    QTest::newRow("link") << "x,1,bf16,a.png\nx,1,nf4,link.png" << "lies outside";
    QTest::newRow("file twice") << "x,1,bf16,a.png\nx,1,nf4,a.png" << "named twice";
    QTest::newRow("precision twice") << "x,1,bf16,a.png\nx,1,bf16,b.png" << "a second picture of bf16";
    QTest::newRow("alone") << "x,1,bf16,a.png\ny,1,nf4,b.png" << "only bf16 is there";
    QTest::newRow("seed") << "x,one,bf16,a.png\nx,1,nf4,b.png" << "seed 'one' is no number";
    QTest::newRow("no seconds") << "x,1,bf16,a.png,nan\nx,1,nf4,b.png,1" << "line 2: seconds 'nan' is no number";
    QTest::newRow("endless seconds") << "x,1,bf16,a.png,inf\nx,1,nf4,b.png,1" << "line 2: seconds 'inf' is no number";
    QTest::newRow("negative") << "x,-1,bf16,a.png\nx,1,nf4,b.png" << "seed '-1'";
    QTest::newRow("no precision") << "x,1,,a.png\nx,1,nf4,b.png" << "a precision is a name";
    QTest::newRow("long precision") << "x,1," + QString(200, 'n') + ",a.png\nx,1,nf4,b.png" << "a precision is a name";
    QTest::newRow("no file") << "x,1,bf16,\nx,1,nf4,b.png" << "names no file";
    QTest::newRow("fields") << "x,1,bf16\nx,1,nf4,b.png" << "line 2: has 3 fields, the first line 4";
  }
  void everyOffenderIsTold() {
    QFETCH(QString, rows);
    QFETCH(QString, word);
    write("set/a.png"), write("set/b.png"), write("b.png");
    QVERIFY(QFile::link(folder_->filePath("b.png"), folder_->filePath("set/link.png")));
    write("set/list.csv", (rows.count(',') > 6 ? "prompt,seed,precision,file,seconds\n" : "prompt,seed,precision,file\n") + rows.toUtf8() + "\n");
    const QString said = complaint("set/list.csv");
    QVERIFY2(said.contains(word), qPrintable(said));
  }

  void objectsHoldTextsAndNumbers_data() {
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<QString>("word");
    QTest::newRow("prompt") << QByteArray(R"("prompt":["x"],"precision":"nf4","file":"b.png")") << "picture 2: prompt [\"x\"] is no text";
    QTest::newRow("file") << QByteArray(R"("precision":"nf4","file":3)") << "file 3 is no text";
    QTest::newRow("precision") << QByteArray(R"("precision":{"a":1},"file":"b.png")") << "is no text";
    QTest::newRow("seconds") << QByteArray(R"("precision":"nf4","file":"b.png","seconds":true)") << "seconds true is no number";
    QTest::newRow("bytes") << QByteArray(R"("precision":"nf4","file":"b.png","bytes":1.5)") << "bytes '1.5' is no number";
  }
  void objectsHoldTextsAndNumbers() {
    QFETCH(QByteArray, fields);
    QFETCH(QString, word);
    write("a.png"), write("b.png");
    write("list.json", R"([{"precision":"bf16","file":"a.png"},{)" + fields + "}]");
    QVERIFY2(complaint("list.json").contains(word), qPrintable(complaint("list.json")));
  }

  void listsThatAreNoneAreRefused() {
    for (const char* name : {"x/bf16/a.png", "x/nf4/a.png"}) write(name);
    write("f.csv", "precision,file,precision\n"), write("g.csv", "prompt,precision,file\nf\xF6x,bf16,a.png\n"), write("x/prompts.txt", "f\xF6x\n");
    QVERIFY(complaint("f.csv").contains("'precision' is there twice"));
    QVERIFY2(complaint("g.csv").contains("UTF-8") && complaint("x").contains("prompts.txt: is not written in UTF-8"), qPrintable(complaint("x")));
    write("a.csv", "prompt,seed,precision,file,colour\n"), write("b.csv", ""), write("c.json", "{}"), write("d.txt", ""), write("e.json", "[1]");
    QVERIFY(complaint("a.csv").contains("'colour' is not known"));
    QVERIFY(complaint("b.csv").contains("empty"));
    QVERIFY(complaint("c.json").contains("no JSON list"));
    QVERIFY(complaint("d.txt").contains("neither"));
    QVERIFY(complaint("e.json").contains("is no object"));
    QVERIFY(complaint("none.csv").contains("not there"));
    QVERIFY(QDir().mkpath(folder_->filePath("nothing")));
    QVERIFY(complaint("nothing").contains("no pictures"));
  }

  void endingsOfPicturesHaveNoCase() {
    for (const char* name : {"a.png", "A.PNG", "b/a.Jpg", "a.JPEG", "a.webp", "a.b.WebP"}) QVERIFY2(isPictureName(name), name);
    for (const char* name : {"png", "a.gif", "a.png.txt", "a.npz", ".png", ""}) QVERIFY2(!isPictureName(name), name);
  }

  void formatsAreToldByTheirBytes() {
    const auto refusal = [](const QByteArray& bytes) {
      return QString::fromStdString(pictureRefusal({reinterpret_cast<const std::uint8_t*>(bytes.constData()),
          static_cast<std::size_t>(bytes.size())}));
    };
    QVERIFY(refusal(QByteArray("\x89PNG\r\n\x1a\n") + QByteArray(40, 0)).contains("cut off"));
    QVERIFY(refusal(QByteArray("\0\0\0\x1c" "ftypavif", 12)).contains("AVIF"));
    QVERIFY(refusal("GIF89a").contains("neither"));
    QVERIFY(refusal({}).contains("neither"));
    // A JPEG's APP1 segment with a big-endian directory of one entry.
    const auto jpeg = [](char orientation) {
      return QByteArray("\xFF\xD8\xFF\xE1\0\x22" "Exif\0\0" "MM\0*\0\0\0\x08" "\0\1" "\x01\x12\0\3\0\0\0\1\0",
          6 + 6 + 8 + 2 + 9) + orientation + QByteArray(20, 0);
    };
    QVERIFY(refusal(jpeg(1)).isEmpty());
    QVERIFY2(refusal(jpeg(6)).contains("orientation 6"), qPrintable(refusal(jpeg(6))));
    QVERIFY(refusal(QByteArray("\xFF\xD8\xFF\xE1") + QByteArray(100, 'M')).isEmpty());
    // Frame headers behind an APP0 segment: precision and number of components.
    const auto frame = [](char bits, char inks) {
      return QByteArray("\xFF\xD8\xFF\xE0\0\4ab" "\xFF\xFF\xC2\0\x14", 13) + bits + QByteArray("\0\1\0\1", 4) + inks + QByteArray(20, 0);
    };
    QVERIFY2(refusal(frame(8, 3)).isEmpty() && refusal(frame(8, 1)).isEmpty(), qPrintable(refusal(frame(8, 3))));
    QVERIFY(refusal(frame(8, 4)).contains("CMYK"));
    QVERIFY(refusal(frame(12, 3)).contains("8 bits"));
    const auto png = [](char bits, const QByteArray& chunks) {
      return QByteArray("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1", 24) + bits + QByteArray("\2\0\0\0crc!",
          8) + chunks + QByteArray("\0\0\0\0IENDcrc!", 12);
    };
    QVERIFY(refusal(png(8, {})).isEmpty() && refusal(png(4, {})).isEmpty());
    QVERIFY(refusal(png(16, {})).contains("16 bits"));
    QVERIFY(refusal(png(8, QByteArray("\0\0\0\1PLTExcrc!\0\0\0\1tRNSxcrc!", 26))).contains("transparent"));
    QVERIFY(refusal(png(8, QByteArray("\0\0\0\4tEXttRNScrc!", 16))).isEmpty());   // a text is no chunk
    QVERIFY(refusal(png(8, {}).chopped(1)).contains("cut off"));
    QVERIFY(refusal(png(8, QByteArray("\0\0\0\x8" "acTL\0\0\0\2\0\0\0\0crc!", 20))).contains("animation"));
    const QByteArray scan = frame(8, 3).chopped(20) + QByteArray("abcdefghijkl\xFF\xDA\0\4ab\x12\xFF\0\x34", 22);
        // a byte 0xFF of the scan is no marker
    QVERIFY(refusal(scan).contains("cut off"));
    QVERIFY2(refusal(scan + "\xFF\xD9").isEmpty(), qPrintable(refusal(scan + "\xFF\xD9")));
    const auto webp = [](char flags, char size) {
      return QByteArray("RIFF") + size + QByteArray("\0\0\0WEBPVP8X\x0a\0\0\0", 15) + flags + QByteArray(9, 0);
    };
    QVERIFY(refusal(webp(0x10, 22)).isEmpty());
    QVERIFY(refusal(webp(0x12, 22)).contains("animation") && refusal(webp(0x10, 23)).contains("cut off"));
    // What only an import refuses is read for a score, as the references do; the rest is not.
    const auto unreadable = [](const QByteArray& bytes) {
      return QString::fromStdString(unreadableReason({reinterpret_cast<const std::uint8_t*>(bytes.constData()),
          static_cast<std::size_t>(bytes.size())}));
    };
    for (const QByteArray& read : {png(8, {}), png(16, {}), frame(8, 4), jpeg(6), webp(0x10, 22), QByteArray("BM"), QByteArray()})
      QVERIFY2(unreadable(read).isEmpty(), qPrintable(unreadable(read)));
    for (const QByteArray& cut : {png(16, {}).chopped(1), scan, webp(0x10, 23)}) QVERIFY(unreadable(cut).contains("cut off"));
    QVERIFY(unreadable(webp(0x12, 22)).contains("animation") && unreadable(QByteArray("\0\0\0\x1c" "ftypavif", 12)).contains("AVIF"));
  }
};

QTEST_APPLESS_MAIN(PictureListTest)
#include "picture_list_test.moc"
