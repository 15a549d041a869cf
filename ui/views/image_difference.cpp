#include "ui/views/image_difference.h"

#include <algorithm>
#include <cstdlib>

namespace quantspot::views {

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

}  // namespace quantspot::views
