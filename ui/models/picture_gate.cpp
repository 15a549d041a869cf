#include "ui/models/picture_gate.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace quantspot::ui {
namespace {

constexpr double kStability = 170.0 / (255.0 * 255.0);   // Xue et al.'s constant for pictures of 0 … 1
constexpr double kNoise = 0.35, kPicture = 0.7;          // of smoothness: below is noise, above a picture

QString tr(const char* text) { return QCoreApplication::translate("quantspot::ui::PictureGate", text); }

struct Plane {
  int width = 0, height = 0;
  std::vector<double> values;
  double at(int x, int y) const {        // black beyond the border
    return x < 0 || y < 0 || x >= width || y >= height ? 0 : values[static_cast<std::size_t>(y * width + x)];
  }
};

Plane lumaOf(const QImage& image) {
  Plane out{image.width(), image.height(), {}};
  for (int y = 0; y < image.height(); ++y) {
    const uchar* line = image.constScanLine(y);
    for (int x = 0; x < image.width(); ++x) out.values.push_back((0.299 * line[3 * x] + 0.587 * line[3 * x + 1] + 0.114 * line[3 * x + 2]) / 255);
  }
  return out;
}

// Means of 2 × 2; an odd side makes both sides one longer, with black.
Plane halved(const Plane& p) {
  const int longer = p.width % 2 != 0 || p.height % 2 != 0 ? 1 : 0;
  Plane out{(p.width + longer) / 2, (p.height + longer) / 2, {}};
  for (int y = 0; y < 2 * out.height; y += 2)
    for (int x = 0; x < 2 * out.width; x += 2) out.values.push_back((p.at(x, y) + p.at(x + 1, y) + p.at(x, y + 1) + p.at(x + 1, y + 1)) / 4);
  return out;
}

double gradient(const Plane& p, int x, int y) {
  double across = 0, down = 0;
  for (int i = -1; i <= 1; ++i) across += p.at(x + 1, y + i) - p.at(x - 1, y + i), down += p.at(x + i, y + 1) - p.at(x + i, y - 1);
  return std::hypot(across, down) / 3;
}

double deviation(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

double gmsdOf(const QImage& image, const QImage& reference) {
  const Plane a = halved(lumaOf(image)), b = halved(lumaOf(reference));
  std::vector<double> similarity;
  for (int y = 0; y < a.height; ++y)
    for (int x = 0; x < a.width; ++x) {
      const double ga = gradient(a, x, y), gb = gradient(b, x, y);
      similarity.push_back((2 * ga * gb + kStability) / (ga * ga + gb * gb + kStability));
    }
  return deviation(similarity);
}

// A figure beyond an absolute limit, and beyond the median of the others by a distance. Needs two others.
struct Limit {
  const char* name;
  std::optional<double> (*of)(const GateFigures&);
  double sign, beyond, distance;         // sign: −1 where less is worse
};

const Limit kLimits[] = {
    {"PSNR", [](const GateFigures& f) { return std::optional(f.psnr); }, -1, 15, 12},
    {"GMSD", [](const GateFigures& f) { return std::optional(f.gmsd); }, 1, 0.22, 0.1},
    {"LPIPS", [](const GateFigures& f) { return f.lpips; }, 1, 0.6, 0.3},
};

bool farFromOthers(const QMap<QString, GateFigures>& variants, const QString& variant, const Limit& limit) {
  const auto own = limit.of(variants[variant]);
  std::vector<double> others;
  for (auto other = variants.begin(); other != variants.end(); ++other)
    if (const auto value = limit.of(*other); value && other.key() != variant) others.push_back(limit.sign * *value);
  if (!own || others.size() < 2) return false;
  std::sort(others.begin(), others.end());
  return limit.sign * *own > limit.sign * limit.beyond && limit.sign * *own > others[others.size() / 2] + limit.distance;
}

}  // namespace

double psnrOf(const QImage& image, const QImage& reference) {
  double squares = 0;
  for (int y = 0; y < image.height(); ++y) {
    const uchar *a = image.constScanLine(y), *b = reference.constScanLine(y);
    for (int x = 0; x < 3 * image.width(); ++x) squares += (a[x] - b[x]) * (a[x] - b[x]);
  }
  if (squares == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(255.0 * 255.0 * 3 * image.width() * image.height() / squares);
}

double smoothnessOf(const QImage& image) {
  const Plane luma = lumaOf(image);
  double mean = 0, product = 0, squares = 0;
  for (const double value : luma.values) mean += value / static_cast<double>(luma.values.size());
  for (int y = 0; y < luma.height; ++y)
    for (int x = 0; x + 1 < luma.width; ++x) {
      const double a = luma.at(x, y) - mean, b = luma.at(x + 1, y) - mean;
      product += a * b, squares += (a * a + b * b) / 2;
    }
  return squares > 0 ? product / squares : 1;
}

GateFigures gateFigures(const QImage& image, const QImage& reference) {
  return {.psnr = psnrOf(image, reference), .gmsd = gmsdOf(image, reference), .smoothness = smoothnessOf(image)};
}

QString suspicionOf(const QMap<QString, GateFigures>& variants, double reference_smoothness) {
  for (auto one = variants.begin(); one != variants.end(); ++one) {
    if (one->smoothness < kNoise && reference_smoothness > kPicture)
      return tr("the picture of %1 looks like noise (its pixels say nothing of their neighbours: correlation %2, the reference's %3)").arg(one.key())
          .arg(one->smoothness, 0, 'f', 2).arg(reference_smoothness, 0, 'f', 2);
    for (const Limit& limit : kLimits)
      if (farFromOthers(variants, one.key(), limit))
        return tr("the picture of %1 is far from all others (%2 %3%4): that looks like a fault, not like a degree of quality").arg(one.key())
            .arg(QLatin1String(limit.name)).arg(*limit.of(*one), 0, 'f', limit.sign < 0 ? 1 : 3)
            .arg(limit.sign < 0 ? QStringLiteral(" dB") : QString());
  }
  return {};
}

}  // namespace quantspot::ui
