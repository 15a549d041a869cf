// PSNR and SSIM against scikit-image.
#include "metrics/psnr.h"
#include "metrics/ssim.h"
#include "tests/metrics/golden.h"

#include <QBuffer>
#include <QImage>
#include <QTest>

#include <cmath>

using namespace quantspot;

class PixelsTest : public QObject {
  Q_OBJECT
  const test::MetricsGolden golden_;

 private Q_SLOTS:
  void valuesAreThoseOfScikitImage_data() {
    QTest::addColumn<QString>("name");
    for (const auto& [name, values] : golden_.numbers["pairs"].items()) QTest::newRow(name.c_str()) << QString::fromStdString(name);
    QVERIFY(golden_.numbers["pairs"].size() >= 8);
  }
  void valuesAreThoseOfScikitImage() {
    QFETCH(QString, name);
    const auto& expected = golden_.numbers["pairs"][name.toStdString()];
    const metrics::Image a = golden_.image(name.toStdString() + ".a"), b = golden_.image(name.toStdString() + ".b");
    const double psnr = metrics::psnr(a, b), ssim = metrics::ssim(a, b);
    if (expected["psnr"].is_null()) QVERIFY(std::isinf(psnr));
    else QVERIFY2(std::abs(psnr - expected["psnr"].get<double>()) < 1e-10, qPrintable(QString::number(psnr, 'g', 17)));
    QVERIFY2(std::abs(ssim - expected["ssim"].get<double>()) < 1e-10, qPrintable(QString::number(ssim, 'g', 17)));
  }

  void picturesThatCannotBeComparedAreRefused() {
    const metrics::Image a{16, 16, std::vector<std::uint8_t>(768)}, b{16, 17, std::vector<std::uint8_t>(816)}, small{10, 16, std::vector<std::uint8_t>(480)};
    QVERIFY_EXCEPTION_THROWN(metrics::psnr(a, b), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::ssim(a, b), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::ssim(small, small), std::invalid_argument);
  }

  void picturesAreReadAsRgb() {
    QImage picture(2, 1, QImage::Format_RGB888);
    picture.setPixel(0, 0, qRgb(1, 2, 3));
    picture.setPixel(1, 0, qRgb(250, 20, 90));
    QBuffer png;
    QVERIFY(picture.save(&png, "PNG"));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(png.data().constData());
    const metrics::Image read = metrics::decodeImage({bytes, static_cast<std::size_t>(png.data().size())});
    QCOMPARE(read.width, 2);
    QCOMPARE(read.pixels, (std::vector<std::uint8_t>{1, 2, 3, 250, 20, 90}));
  }

  void whatIsNoPictureIsRefused() {
    QVERIFY_EXCEPTION_THROWN(metrics::decodeImage({}), std::invalid_argument);
    const std::vector<std::uint8_t> text = {'t', 'e', 'x', 't'};
    QVERIFY_EXCEPTION_THROWN(metrics::decodeImage(text), std::invalid_argument);
  }
};

QTEST_APPLESS_MAIN(PixelsTest)
#include "pixels_test.moc"
