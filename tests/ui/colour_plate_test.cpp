// Plates are measured: brightness tells nothing of the numeral, and a simulated dichromat loses the colour difference of their own axis alone.
#include "ui/models/colour_plate.h"

#include <QTest>

#include <array>
#include <cmath>
#include <functional>
#include <set>

using namespace quantspot::ui;
using quantspot::study::ColourAxis;
using quantspot::study::PlannedPlate;

namespace {

using Three = std::array<double, 3>;
using Matrix = std::array<Three, 3>;

constexpr ColourAxis kAxes[] = {ColourAxis::Protan, ColourAxis::Deutan, ColourAxis::Tritan};
constexpr int kSeeds = 6;

Three times(const Matrix& m, const Three& v) {
  Three result{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) result[i] += m[i][j] * v[j];
  return result;
}

Matrix inverse(const Matrix& m) {
  Matrix r{};
  double det = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t a = (i + 1) % 3, b = (i + 2) % 3;
    det += m[0][i] * (m[1][a] * m[2][b] - m[1][b] * m[2][a]);
  }
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      const std::size_t a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
      r[i][j] = (m[a][c] * m[b][d] - m[a][d] * m[b][c]) / det;
    }
  return r;
}

double linear(int encoded) {
  const double v = encoded / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

Three linearOf(const PlateDot& dot) { return {linear(qRed(dot.colour)), linear(qGreen(dot.colour)), linear(qBlue(dot.colour))}; }

// sRGB to CIE XYZ.
const Matrix kXyz{{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}};
double luminance(const Three& rgb) { return times(kXyz, rgb)[1]; }
std::array<double, 2> chroma(const Three& rgb) {          // CIE 1976 u′v′
  const Three v = times(kXyz, rgb);
  const double d = v[0] + 15 * v[1] + 3 * v[2];
  return {4 * v[0] / d, 9 * v[1] / d};
}

// F. Viénot, H. Brettel, J. D. Mollon, Color Research and Application 24 (1999), 243–252: cones of linear RGB, and what takes the place of the one
// that is missing. Tritan: one plane through the greys, in the manner of Brettel, Viénot and Mollon (1997), who fold it there.
const Matrix kCones{{{17.8824, 43.5161, 4.11935}, {3.45565, 27.1554, 3.86714}, {0.0299566, 0.184309, 1.46709}}};
Three seenBy(ColourAxis axis, const Three& rgb) {
  Three lms = times(kCones, rgb);
  if (axis == ColourAxis::Protan) lms[0] = 2.02344 * lms[1] - 2.52581 * lms[2];
  if (axis == ColourAxis::Deutan) lms[1] = 0.494207 * lms[0] + 1.24827 * lms[2];
  if (axis == ColourAxis::Tritan) lms[2] = -0.395913 * lms[0] + 0.801109 * lms[1];
  return times(inverse(kCones), lms);
}

std::vector<PlateDot> plate(ColourAxis axis, int numeral, int seed) { return plateDots({axis, numeral, static_cast<quint64>(seed)}); }

double correlation(const std::vector<PlateDot>& dots, const std::function<double(const PlateDot&)>& of) {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (const PlateDot& dot : dots) {
    const double a = dot.figure, b = of(dot);
    ++n, x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
  }
  return (n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y));
}

// Distance in u′v′ of the numeral's mean light from its ground's.
double difference(const std::vector<PlateDot>& dots, const std::function<Three(const Three&)>& seen) {
  std::array<Three, 2> sums{};
  for (const PlateDot& dot : dots) {
    const Three rgb = seen(linearOf(dot));
    for (std::size_t i = 0; i < 3; ++i) sums[dot.figure][i] += rgb[i];
  }
  const auto a = chroma(sums[0]), b = chroma(sums[1]);
  return std::hypot(a[0] - b[0], a[1] - b[1]);
}

}  // namespace

class ColourPlateTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void dotsTouchNothingAndFillThePlate() {
    const auto dots = plate(ColourAxis::Protan, 8, 1);
    QVERIFY2(dots.size() > 400, qPrintable(QString::number(dots.size())));
    double area = 0;
    for (std::size_t i = 0; i < dots.size(); ++i) {
      QVERIFY(std::hypot(dots[i].x, dots[i].y) + dots[i].radius <= 1 + 1e-12);
      area += dots[i].radius * dots[i].radius;
      for (std::size_t j = 0; j < i; ++j)
        QVERIFY(std::hypot(dots[i].x - dots[j].x, dots[i].y - dots[j].y) >= dots[i].radius + dots[j].radius);
    }
    QVERIFY2(area > 0.45, qPrintable(QString::number(area)));
  }

  void theSamePlateHasTheSameDots() {
    const auto one = plate(ColourAxis::Tritan, 5, 77), again = plate(ColourAxis::Tritan, 5, 77), other = plate(ColourAxis::Tritan, 5, 78);
    QCOMPARE(one.size(), again.size());
    for (std::size_t i = 0; i < one.size(); ++i) QVERIFY(one[i].x == again[i].x && one[i].colour == again[i].colour);
    QVERIFY(one[0].x != other[0].x);
  }

  // Every numeral covers enough dots to be read, and no two cover nearly the same.
  void everyNumeralHasAForm() {
    std::vector<std::set<std::size_t>> forms;
    for (int numeral = 2; numeral <= 9; ++numeral) {
      const auto dots = plate(ColourAxis::Protan, numeral, 3);   // the same dots for each: the numeral has no say in where they lie
      std::set<std::size_t> form;
      for (std::size_t i = 0; i < dots.size(); ++i)
        if (dots[i].figure) form.insert(i);
      const double share = static_cast<double>(form.size()) / static_cast<double>(dots.size());
      QVERIFY2(share > 0.1 && share < 0.35, qPrintable(QStringLiteral("%1: %2").arg(numeral).arg(share)));
      for (const auto& known : forms) {
        std::size_t common = 0;
        for (const std::size_t i : form) common += known.count(i);
        QVERIFY2(static_cast<double>(common) < 0.85 * static_cast<double>(std::min(form.size(), known.size())) || known.size() != form.size(),
                 qPrintable(QString::number(numeral)));
      }
      forms.push_back(std::move(form));
    }
  }

  void brightnessTellsNothing() {
    double most = 0;
    for (const ColourAxis axis : kAxes)
      for (int seed = 0; seed < kSeeds; ++seed) {
        const auto dots = plate(axis, 2 + seed, seed);
        const double told = correlation(dots, [](const PlateDot& dot) { return luminance(linearOf(dot)); });
        const double size = correlation(dots, [](const PlateDot& dot) { return dot.radius; });
        most = std::max(most, std::abs(told));
        QVERIFY2(std::abs(told) < 0.03, qPrintable(QString::number(told)));
        QVERIFY2(std::abs(size) < 0.2, qPrintable(QString::number(size)));   // chance alone: dots lie where they fell
      }
    qInfo("numeral and luminance: correlation at most %.4f", most);
  }

  // Also as the dichromat of the plate's axis sees it, to whom its own colours differ in brightness.
  void brightnessTellsADichromatLittle() {
    double most = 0;
    for (const ColourAxis axis : kAxes)
      for (int seed = 0; seed < kSeeds; ++seed) {
        const double told = std::abs(correlation(plate(axis, 2 + seed, seed), [axis](const PlateDot& dot) {
          return luminance(seenBy(axis, linearOf(dot)));
        }));
        most = std::max(most, told);
        QVERIFY2(told < 0.25, qPrintable(QString::number(told)));
      }
    qInfo("numeral and luminance as the dichromat sees it: correlation at most %.3f", most);
  }

  void aDichromatLosesTheirOwnAxisAndNoOther() {
    for (const ColourAxis axis : kAxes)
      for (int seed = 0; seed < kSeeds; ++seed) {
        const auto dots = plate(axis, 2 + seed, seed);
        const double normal = difference(dots, [](const Three& rgb) { return rgb; });
        QVERIFY2(normal > 0.06, qPrintable(QString::number(normal)));    // ten times what people see at threshold, and more
        for (const ColourAxis eye : kAxes) {
          const double seen = difference(dots, [eye](const Three& rgb) { return seenBy(eye, rgb); });
          const QString line = QStringLiteral("%1 plate, %2 eye: %3 of %4").arg(quantspot::study::axisName(axis), quantspot::study::axisName(eye))
              .arg(seen, 0, 'f', 4).arg(normal, 0, 'f', 4);
          if (seed == 0) qInfo("%s", qPrintable(line));
          if (eye == axis) QVERIFY2(seen < 0.12 * normal, qPrintable(line));
          else QVERIFY2(seen > 0.2 * normal, qPrintable(line));
        }
      }
  }

  void everybodyReadsTheControl() {
    const auto dots = plate(ColourAxis::Control, 4, 9);
    for (const ColourAxis eye : kAxes) {
      const double told = correlation(dots, [eye](const PlateDot& dot) { return luminance(seenBy(eye, linearOf(dot))); });
      QVERIFY2(told > 0.9, qPrintable(QString::number(told)));
    }
    QVERIFY(difference(dots, [](const Three& rgb) { return rgb; }) < 0.01);
  }
};

QTEST_GUILESS_MAIN(ColourPlateTest)
#include "colour_plate_test.moc"
