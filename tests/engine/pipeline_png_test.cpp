// Built twice: with zlib and with stored blocks.
#include "engine/pipeline/png.h"

#include <QImage>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::pipeline;

class PngTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void anotherReaderSeesTheSamePixels_data() {
    QTest::addColumn<int>("width");
    QTest::addColumn<int>("height");
    QTest::newRow("one pixel") << 1 << 1;
    QTest::newRow("odd") << 17 << 5;
    QTest::newRow("several stored blocks") << 256 << 301;
  }
  void anotherReaderSeesTheSamePixels() {
    QFETCH(int, width);
    QFETCH(int, height);
    RgbImage image{width, height, {}};
    std::uint32_t state = 1;
    for (int i = 0; i < 3 * width * height; ++i) image.pixels.push_back(static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24));
    const auto png = encodePng(image);
    const QImage read = QImage::fromData(png.data(), static_cast<int>(png.size()), "PNG").convertToFormat(QImage::Format_RGB888);
    QCOMPARE(read.size(), QSize(width, height));
    for (int y = 0; y < height; ++y)
      QVERIFY(std::equal(read.constScanLine(y), read.constScanLine(y) + 3 * width, image.pixels.begin() + 3 * width * y));
  }

  void aFileThatCannotBeWrittenIsNamed() {
    try {
      writeFile("/nowhere/at/all.png", {});
      QFAIL("written");
    } catch (const std::runtime_error& error) {
      QVERIFY2(QString(error.what()).contains("/nowhere/at/all.png: No such file"), error.what());
    }
  }
};

QTEST_APPLESS_MAIN(PngTest)
#include "pipeline_png_test.moc"
