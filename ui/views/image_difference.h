// What differs between two images, made visible. Only for after the reveal: it shows at once which tile is the reference.
#pragma once

#include <QImage>

namespace quantspot::views {

// |a − b| per channel times gain, cut at 255. Images of different size give a null image.
QImage amplifiedDifference(const QImage& a, const QImage& b, int gain);

}  // namespace quantspot::views
