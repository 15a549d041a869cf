// PSNR and SSIM against scikit-image, MS-SSIM against torchmetrics, GMSD against piq, resizing against Pillow.
#include "metrics/gmsd.h"
#include "metrics/psnr.h"
#include "metrics/resize.h"
#include "metrics/ssim.h"
#include "tests/metrics/formulas.h"
#include "tests/metrics/golden.h"

#include <QBuffer>
#include <QCryptographicHash>
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

  void msSsimAndGmsdAreThoseOfTheReferences() {
    const auto numbers = test::scoreNumbers();
    int scales = 0;
    for (const auto& c : numbers["pixels"]) {
      const metrics::Image image = test::texture(c["width"], c["height"], c["seed"]), other = test::worse(image, c["seed"].get<std::uint32_t>() + 1);
      const double gmsd = metrics::gmsd(other, image);
      QVERIFY2(test::near(gmsd, c["gmsd"], 1e-6), qPrintable(QString::number(gmsd, 'g', 12)));
      QCOMPARE(metrics::gmsd(image, other), gmsd);
      QCOMPARE(metrics::gmsd(image, image), 0.0);
      if (!c.contains("ms-ssim")) continue;
      ++scales;
      const double msSsim = metrics::msSsim(other, image);
      QVERIFY2(test::near(msSsim, c["ms-ssim"], 1e-6), qPrintable(QString::number(msSsim, 'g', 12)));
      QVERIFY(test::near(metrics::msSsim(image, other), msSsim, 1e-12));
      QVERIFY(test::near(metrics::msSsim(image, image), 1, 1e-12));
      metrics::Image inverted = image;
      for (auto& value : inverted.pixels) value = static_cast<std::uint8_t>(255 - value);
      QCOMPARE(metrics::msSsim(inverted, image), c["ms-ssim inverted"].get<double>());
    }
    QCOMPARE(scales, 2);
  }

  void resizingIsThatOfPillow() {
    const auto hash = [](const void* data, std::size_t bytes) {
      return QCryptographicHash::hash(QByteArrayView(static_cast<const char*>(data), static_cast<qsizetype>(bytes)),
                                      QCryptographicHash::Sha256).toHex().toStdString();
    };
    for (const auto& c : test::scoreNumbers()["resize"]) {
      const metrics::Image image = test::texture(c["from"][0], c["from"][1], c["seed"]);
      const auto filter = static_cast<metrics::Resample>(c["resample"].get<int>());
      const metrics::Image bytes = metrics::resize(image, c["to"][0], c["to"][1], filter);
      QVERIFY2(hash(bytes.pixels.data(), bytes.pixels.size()) == c["bytes"], c.dump().c_str());
      if (!c.contains("floats")) continue;
      const at::Tensor floats = metrics::resizeFloat(image, c["to"][0], c["to"][1], filter);
      QVERIFY2(hash(floats.const_data_ptr(), floats.nbytes()) == c["floats"], c.dump().c_str());
    }
  }

  void picturesThatCannotBeComparedAreRefused() {
    const metrics::Image a{16, 16, std::vector<std::uint8_t>(768)}, b{16, 17, std::vector<std::uint8_t>(816)}, small{10, 16, std::vector<std::uint8_t>(480)};
    QVERIFY_EXCEPTION_THROWN(metrics::psnr(a, b), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::ssim(a, b), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::ssim(small, small), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::msSsim(a, a), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(metrics::gmsd(a, b), std::invalid_argument);
    const metrics::Image tiny{3, 16, std::vector<std::uint8_t>(144)};
    QVERIFY_EXCEPTION_THROWN(metrics::gmsd(tiny, tiny), std::invalid_argument);
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
