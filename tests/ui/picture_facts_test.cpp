// The look at pictures before people see them: what is refused, what is doubted, what is attested.
#include "study/statistics/random.h"
#include "tests/study/shaded_picture.h"
#include "ui/models/bare_pixels.h"
#include "ui/models/picture_facts.h"
#include "ui/models/picture_gate.h"

#include <QBuffer>
#include <QJsonArray>
#include <QTest>

#include <cmath>

using namespace quantspot;
using namespace quantspot::ui;
using test::picture;

namespace {

// Rings and a slope in three colours: edges and smooth parts, as pictures have them.
QImage scene(int number) {
  QImage image(64, 64, QImage::Format_RGB888);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x) {
      const double ring = std::sin(std::hypot(x - 20 - number, y - 34) / (5 + number % 3));
      const auto at = [&](double base) { return std::clamp(static_cast<int>(base + 70 * ring), 0, 255); };
      image.setPixelColor(x, y, QColor(at(60 + x), at(90 + y), at(180 - x / 2.0)));
    }
  return image;
}

using Change = std::function<QColor(QColor, int x, int y)>;
QImage changed(QImage image, const Change& change) {
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) image.setPixelColor(x, y, change(image.pixelColor(x, y), x, y));
  return image;
}

QColor moved(QColor c, int by) {
  const auto at = [by](int value) { return std::clamp(value + by, 0, 255); };
  return QColor(at(c.red()), at(c.green()), at(c.blue()));
}

// As a precision does it: errors that grow, none of them a fault.
QImage degraded(const QImage& image, int amount, std::uint64_t seed) {
  statistics::Random random(seed);
  return changed(image, [&](QColor c, int x, int y) {
    const int wave = static_cast<int>(amount * std::sin((x + 2.0 * y) / 9));
    return moved(c, wave + static_cast<int>(random.below(static_cast<std::uint64_t>(amount + 1))));
  });
}

QMap<QString, QByteArray> files(const QMap<QString, QImage>& images) {
  QMap<QString, QByteArray> all;
  for (auto image = images.begin(); image != images.end(); ++image) all[image.key()] = pngOf(*image);
  return all;
}

QMap<QString, QByteArray> four(const QImage& reference, const QImage& last) {
  return files({{"bf16", reference}, {"fp8", degraded(reference, 1, 1)}, {"int8", degraded(reference, 3, 2)}, {"nf4", last}});
}

}  // namespace

class PictureFactsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // By an independent computation (numpy): 10 log10(255² / mean square); GMSD of Xue et al. with black beyond the border.
  void figuresAreThoseOfTheirDefinitions() {
    const QImage a = picture(10), b = picture(90);
    const QImage c = changed(a, [](QColor p, int x, int y) {
      return x >= 6 && x < 15 && y >= 4 && y < 9 ? QColor(255 - p.red(), 255 - p.green(), 255 - p.blue()) : p;
    });
    const GateFigures one = gateFigures(b, a), two = gateFigures(c, a), equal = gateFigures(a, a);
    QVERIFY(std::abs(one.psnr - 14.840216416036856) < 1e-9 && std::abs(one.gmsd - 0.09701268366903747) < 1e-9);
    QVERIFY(std::abs(two.psnr - 11.48917232867488) < 1e-9 && std::abs(two.gmsd - 0.3674423867516403) < 1e-9);
    QVERIFY(std::isinf(equal.psnr) && equal.gmsd == 0);
  }

  void degreesOfQualityPass() {
    for (int number = 0; number < 6; ++number)
      for (const int amount : {2, 6, 12, 20, 30}) {
        const PictureFacts facts = pictureFacts(four(scene(number), degraded(scene(number), amount, 7)), "bf16");
        QVERIFY2(facts.problem.isEmpty() && facts.suspicion.isEmpty(), qPrintable(facts.suspicion));
      }
  }

  void faultsAreDoubted_data() {
    QTest::addColumn<QImage>("broken");
    QTest::addColumn<QString>("by");
    statistics::Random random(3);
    const auto any = [&random] { return static_cast<int>(random.below(256)); };
    const QImage good = scene(0);
    QTest::newRow("noise") << changed(good, [&](QColor, int, int) { return QColor(any(), any(), any()); }) << "looks like noise";
    QTest::newRow("half noise") << changed(good, [&](QColor c, int, int y) { return y < 32 ? c : QColor(any(), any(), any()); }) << "PSNR";
    QTest::newRow("nearly black") << changed(good, [](QColor c, int, int) { return QColor(c.red() / 20, c.green() / 20, c.blue() / 20); }) << "PSNR";
    QTest::newRow("negative") << changed(good, [](QColor c, int, int) { return QColor(255 - c.red(), 255 - c.green(), 255 - c.blue()); }) << "PSNR";
    QTest::newRow("blocks") << changed(good, [&](QColor, int x, int y) { return good.pixelColor(x / 8 * 8, y / 8 * 8); }) << "GMSD";
  }
  void faultsAreDoubted() {
    QFETCH(QImage, broken);
    QFETCH(QString, by);
    const PictureFacts facts = pictureFacts(four(scene(0), broken), "bf16");
    QVERIFY2(facts.problem.isEmpty() && facts.suspicion.contains("the picture of nf4") && facts.suspicion.contains(by), qPrintable(facts.suspicion));
  }

  void lpipsIsLookedAtWhereItWasMeasured() {
    const auto all = four(scene(1), degraded(scene(1), 6, 9));
    QVERIFY(pictureFacts(all, "bf16", {{"fp8", 0.01}, {"int8", 0.05}, {"nf4", 0.45}}).suspicion.isEmpty());
    const PictureFacts facts = pictureFacts(all, "bf16", {{"fp8", 0.01}, {"int8", 0.05}, {"nf4", 0.85}});
    QVERIFY2(facts.suspicion.contains("LPIPS 0.850"), qPrintable(facts.suspicion));
    QVERIFY(facts.attested["gate"]["figures"].toArray().contains("LPIPS"));
    QCOMPARE(facts.attested["pictures"]["nf4"]["gate"]["lpips"].toDouble(), 0.85);
  }

  // With one variant there are no others to be far from: only what is no picture at all can be told.
  void oneVariantIsNotFarFromOthers() {
    const QImage negative = changed(scene(0), [](QColor c, int, int) { return QColor(255 - c.red(), 255 - c.green(), 255 - c.blue()); });
    const PictureFacts facts = pictureFacts(files({{"bf16", scene(0)}, {"nf4", negative}}), "bf16");
    QVERIFY(facts.suspicion.isEmpty());
    QCOMPARE(facts.attested["gate"]["figures"].toArray(), (QJsonArray{"single colour", "noise"}));
    QCOMPARE(facts.attested["gate"]["variants"].toInt(), 1);
  }

  void whatMustNotBeComparedIsNamed() {
    const auto problem = [](const QMap<QString, QByteArray>& all) { return pictureFacts(all, "bf16").problem; };
    auto all = four(scene(0), degraded(scene(0), 9, 3));
    all["nf4"] = pngOf(changed(scene(0), [](QColor, int, int) { return QColor(9, 9, 9); }));
    QVERIFY2(problem(all).contains("the picture of nf4 is broken: it has a single colour"), qPrintable(problem(all)));
    all["nf4"] = pngOf(picture(10));
    QVERIFY2(problem(all).contains("of another size"), qPrintable(problem(all)));
    all["nf4"] = "no picture";
    QVERIFY2(problem(all).contains("the picture of nf4 is broken"), qPrintable(problem(all)));
    // The same pixels in another file, with a text and other compression.
    QImage same = scene(0);
    same.setText("precision", "nf4");
    QBuffer buffer(&all["nf4"]);
    buffer.open(QIODevice::WriteOnly | QIODevice::Truncate);
    QVERIFY(same.save(&buffer, "PNG", 100));
    QVERIFY(all["nf4"] != all["bf16"]);
    QVERIFY2(problem(all).contains("the pictures of bf16 and nf4 have the same pixels"), qPrintable(problem(all)));
  }

  void whatIsAttestedOfEachPicture() {
    auto all = four(scene(0), degraded(scene(0), 9, 3));
    const QImage grey = scene(0).convertToFormat(QImage::Format_Grayscale8);
    QBuffer buffer(&all["nf4"]);
    buffer.open(QIODevice::WriteOnly | QIODevice::Truncate);
    QVERIFY(grey.save(&buffer, "PNG"));
    const QJsonObject attested = pictureFacts(all, "bf16").attested, nf4 = attested["pictures"]["nf4"].toObject();
    QCOMPARE(attested["pixels"].toObject(), (QJsonObject{{"width", 64}, {"height", 64}}));
    QCOMPARE(nf4["mode"].toString(), QStringLiteral("grey"));
    QCOMPARE(attested["pictures"]["bf16"]["mode"].toString(), QStringLiteral("RGB"));
    QCOMPARE(nf4["format"].toString(), QStringLiteral("png"));
    QCOMPARE(nf4["file_sha256"].toString(), sha256Of(all["nf4"]));
    QCOMPARE(nf4["image_sha256"].toString(), pixelHash(grey.convertToFormat(QImage::Format_RGB888)));
    QVERIFY(nf4["gate"]["psnr"].toDouble() > 0 && !attested["pictures"]["bf16"].toObject().contains("gate"));
  }
};

QTEST_GUILESS_MAIN(PictureFactsTest)
#include "picture_facts_test.moc"
