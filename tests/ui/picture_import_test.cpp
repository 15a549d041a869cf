// Pictures made elsewhere: what is kept of them, what is refused, and that they stay blind until they are judged.
#include "tests/study/shaded_picture.h"
#include "tests/ui/fake_engine.h"
#include "ui/models/compare_session.h"
#include "ui/models/picture_import.h"
#include "ui/models/study_sources.h"

#include <QBuffer>
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;
using test::picture;

class PictureImportTest : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;
  std::unique_ptr<study::StudyStore> store_;

  QString path(const QString& name = {}) const { return folder_->filePath(name); }
  void save(const QString& name, QImage image, const QString& text = {}) const {
    QVERIFY(QDir().mkpath(QFileInfo(path(name)).path()));
    if (!text.isEmpty()) image.setText(QStringLiteral("parameters"), text);
    QVERIFY(image.save(path(name)));
  }
  void saveTwo() const {
    save("bf16/fox-seed7.png", picture(10), "precision: the reference, by somebody");
    save("nf4/fox-seed7.png", picture(90), "precision: nf4");
  }

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    store_ = std::make_unique<study::StudyStore>();
    QVERIFY(store_->open(QStringLiteral(":memory:")));
  }

  void pixelsAreKeptAndNothingElse() {
    saveTwo();
    PictureImport import(store_.get());
    const auto ids = import.read(path());
    QVERIFY2(ids.size() == 1, qPrintable(import.error()));
    const auto stored = store_->comparison(ids.front());
    QCOMPARE(stored->model, QStringLiteral("imported"));
    QCOMPARE(stored->recipe["seed"].toInt(), 7);
    QCOMPARE(stored->samples.size(), std::size_t{2});
    QCOMPARE(stored->samples[0].precision, QStringLiteral("bf16"));
    for (const study::Sample& sample : stored->samples) {
      QVERIFY(!sample.png.contains("parameters") && !sample.png.contains("nf4"));
      QVERIFY(QImage::fromData(sample.png).convertToFormat(QImage::Format_RGB888) == picture(sample.precision == "nf4" ? 90 : 10));
      QCOMPARE(sample.report["image_sha256"].toString().size(), 64);
    }
  }

  void jpegAndWebpAreDecoded() {
    save("bf16/a.jpg", picture(10)), save("other/a.webp", picture(90));
    if (!QFile::exists(path("other/a.webp"))) QSKIP("Qt writes no WebP here: qt6-image-formats-plugins");
    PictureImport import(store_.get());
    QVERIFY2(import.read(path()).size() == 1, qPrintable(import.error()));
  }

  void kindsOfPng_data() {
    QTest::addColumn<QImage>("image");
    QTest::addColumn<QString>("refusal");
    QImage clear = picture(10).convertToFormat(QImage::Format_ARGB32);
    QTest::newRow("opaque alpha") << clear << QString();
    clear.setPixelColor(3, 4, QColor(1, 2, 3, 200));
    QTest::newRow("transparent") << clear << "transparent in places";
    QTest::newRow("palette") << picture(10).convertToFormat(QImage::Format_Indexed8) << QString();
    QTest::newRow("grey") << picture(10).convertToFormat(QImage::Format_Grayscale8) << QString();
    QTest::newRow("16 bits") << picture(10).convertToFormat(QImage::Format_RGBX64) << "16 bits a channel";
  }
  void kindsOfPng() {
    QFETCH(QImage, image);
    QFETCH(QString, refusal);
    save("bf16/a.png", image), save("other/a.png", picture(99));
    PictureImport import(store_.get());
    const auto ids = import.read(path());
    QVERIFY2(import.error().contains(refusal) && ids.size() == (refusal.isEmpty() ? 1u : 0u), qPrintable(import.error()));
    if (!refusal.isEmpty()) return;
    const QImage kept = QImage::fromData(store_->comparison(ids[0])->samples[0].png).convertToFormat(QImage::Format_RGB888);
    QVERIFY(kept == image.convertToFormat(QImage::Format_RGB888));
  }

  // What a study's designer asks of a comparison of the history.
  void aStudyTakesThem() {
    saveTwo();
    PictureImport import(store_.get());
    const auto ids = import.read(path());
    QString why;
    const auto source = readSource(*store_, {ids.front(), {}}, why);
    QVERIFY2(source && why.isEmpty(), qPrintable(why));
    QCOMPARE(source->prompt, QStringLiteral("fox-seed7"));
    QCOMPARE(source->pictures.keys(), QStringList({"bf16", "nf4"}));
  }

  void everythingOrNothing() {
    saveTwo();
    save("bf16/size.png", picture(10)), save("nf4/size.png", picture(10, {16, 24}));
    save("bf16/text.png", picture(10)), save("nf4/text.png", picture(20));
    QFile broken(path("nf4/text.png"));
    QVERIFY(broken.open(QIODevice::WriteOnly) && broken.write("not a picture") > 0);
    broken.close();
    PictureImport import(store_.get());
    QVERIFY(import.read(path()).empty());
    QVERIFY2(import.error().contains("size.png (nf4) is 16 × 24") && import.error().contains("text.png (nf4) is neither"),
             qPrintable(import.error()));
    QVERIFY(store_->comparisons().empty());
  }

  void theyAreJudgedBlindAndThenScored() {
    saveTwo();
    EngineClient engine(fakeEngine({}));
    CompareSession session(&engine, store_.get());
    session.connectEngine();
    QTRY_COMPARE(session.precisions()->rowCount(), 4);
    QCOMPARE(session.importPictures(path()), 1);
    HistoryModel* history = session.history();
    QCOMPARE(history->rowCount(), 1);
    QCOMPARE(history->index(0, HistoryModel::Precisions).data().toString(), QStringLiteral("to be judged"));
    QCOMPARE(history->index(0, 0).data(HistoryModel::ThumbnailRole).value<QImage>().width(), 160);   // one picture, not the sheet in the list's order
    QSignalSpy opened(&session, &CompareSession::trialOpened), past(&session, &CompareSession::pastOpened),
        scored(&session, &CompareSession::busyChanged);
    QVERIFY(session.openPast(history->comparisonAt(0)));
    QCOMPARE(opened.count(), 1);
    QCOMPARE(past.count(), 0);
    QVERIFY(!session.comparison());
    QCOMPARE(history->rowCount(), 0);
    for (int slot = 0; slot < 2; ++slot) session.trial()->choose(slot, session.trial()->options().value(slot));
    QVERIFY(session.trial()->answer());
    QCOMPARE(history->index(0, HistoryModel::Precisions).data().toString(), QStringLiteral("bf16, nf4"));
    QTRY_COMPARE(store_->comparison(history->comparisonAt(0))->samples[1].scores.psnr, std::optional(31.5));
    const study::Scores scores = store_->comparison(history->comparisonAt(0))->samples[1].scores;
    QVERIFY2(!scores.clip && scores.failures.contains("clip: no prompt is known"), qPrintable(scores.failures.join(u'\n')));   // a file's name is none
    QVERIFY(session.trial()->answered().uncounted.isEmpty());
    QVERIFY(session.openPast(history->comparisonAt(0)));   // now with its names
    QCOMPARE(past.count(), 1);
  }

  void withTheirPromptTheyHaveAClipScore() {
    saveTwo();
    QFile prompts(path("prompts.txt"));
    QVERIFY(prompts.open(QIODevice::WriteOnly) && prompts.write("a fox\n") > 0);
    prompts.close();
    EngineClient engine(fakeEngine({}));
    CompareSession session(&engine, store_.get());
    session.connectEngine();
    QTRY_COMPARE(session.precisions()->rowCount(), 4);
    QCOMPARE(session.importPictures(path()), 1);
    QVERIFY(session.openPast(session.history()->comparisonAt(0)));
    for (int slot = 0; slot < 2; ++slot) session.trial()->choose(slot, session.trial()->options().value(slot));
    QVERIFY(session.trial()->answer());
    QTRY_VERIFY(store_->comparison(session.history()->comparisonAt(0))->samples[1].scores.psnr);
    QVERIFY(store_->comparison(session.history()->comparisonAt(0))->samples[1].scores.clip);
  }

  void whatFailsIsTold() {
    EngineClient engine(fakeEngine({}));
    CompareSession session(&engine, store_.get());
    QSignalSpy failed(&session, &CompareSession::failed);
    QCOMPARE(session.importPictures(path("nowhere")), 0);
    QVERIFY(failed.first().first().toString().contains("is not there"));
  }
};

QTEST_GUILESS_MAIN(PictureImportTest)
#include "picture_import_test.moc"
