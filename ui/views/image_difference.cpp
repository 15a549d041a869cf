#include "ui/views/image_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace quantspot::views {
namespace {

// Sobel's magnitude at every pixel; the border repeats itself.
QImage edges(const QImage& image) {
  const QImage luma = image.convertToFormat(QImage::Format_Grayscale8);
  QImage result(luma.size(), QImage::Format_Grayscale8);
  const int width = luma.width(), height = luma.height();
  for (int y = 0; y < height; ++y) {
    const uchar* rows[] = {luma.constScanLine(std::max(0, y - 1)), luma.constScanLine(y), luma.constScanLine(std::min(height - 1, y + 1))};
    uchar* out = result.scanLine(y);
    for (int x = 0; x < width; ++x) {
      const int left = std::max(0, x - 1), right = std::min(width - 1, x + 1);
      const int across = rows[0][right] + 2 * rows[1][right] + rows[2][right] - rows[0][left] - 2 * rows[1][left] - rows[2][left];
      const int down = rows[2][left] + 2 * rows[2][x] + rows[2][right] - rows[0][left] - 2 * rows[0][x] - rows[0][right];
      out[x] = static_cast<uchar>(std::min(255.0, std::hypot(across, down)));
    }
  }
  return result;
}

}  // namespace

QImage amplifiedDifference(const QImage& a, const QImage& b, int gain) {
  if (a.isNull() || a.size() != b.size()) return {};
  const QImage left = a.convertToFormat(QImage::Format_RGB888), right = b.convertToFormat(QImage::Format_RGB888);
  QImage result(a.size(), QImage::Format_RGB888);
  for (int y = 0; y < result.height(); ++y) {
    const uchar *l = left.constScanLine(y), *r = right.constScanLine(y);
    uchar* out = result.scanLine(y);
    for (int i = 0; i < result.width() * 3; ++i) out[i] = static_cast<uchar>(std::min(255, std::abs(l[i] - r[i]) * gain));
  }
  return result;
}

QColor heatColor(double share) {
  static constexpr std::array<std::array<int, 3>, 5> kStops{{{0, 0, 0}, {87, 16, 110}, {188, 55, 84}, {249, 142, 9}, {252, 255, 164}}};
  const double at = std::clamp(share, 0.0, 1.0) * (kStops.size() - 1);
  const auto low = std::min<std::size_t>(static_cast<std::size_t>(at), kStops.size() - 2);
  const double part = at - static_cast<double>(low);
  const auto mixed = [&](std::size_t c) { return static_cast<int>(std::lround(kStops[low][c] + part * (kStops[low + 1][c] - kStops[low][c]))); };
  return QColor(mixed(0), mixed(1), mixed(2));
}

QImage heatMap(const QImage& a, const QImage& b, int gain) {
  const QImage difference = amplifiedDifference(a, b, gain);
  if (difference.isNull()) return {};
  std::array<QRgb, 256> colors;
  for (int i = 0; i < 256; ++i) colors[static_cast<std::size_t>(i)] = heatColor(i / 255.0).rgb();
  QImage result(difference.size(), QImage::Format_RGB32);
  for (int y = 0; y < result.height(); ++y) {
    const uchar* in = difference.constScanLine(y);
    auto* out = reinterpret_cast<QRgb*>(result.scanLine(y));
    for (int x = 0; x < result.width(); ++x) out[x] = colors[std::max({in[3 * x], in[3 * x + 1], in[3 * x + 2]})];
  }
  return result;
}

QImage edgeView(const QImage& picture, const QImage& reference) {
  if (picture.isNull() || picture.size() != reference.size()) return {};
  const QImage own = edges(picture), other = edges(reference);
  QImage result(picture.size(), QImage::Format_RGB32);
  for (int y = 0; y < result.height(); ++y) {
    const uchar *mine = own.constScanLine(y), *theirs = other.constScanLine(y);
    auto* out = reinterpret_cast<QRgb*>(result.scanLine(y));
    for (int x = 0; x < result.width(); ++x) out[x] = qRgb(mine[x], theirs[x], theirs[x]);
  }
  return result;
}

}  // namespace quantspot::views
