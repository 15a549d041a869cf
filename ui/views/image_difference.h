// What differs between two images, made visible. Only for after the reveal: it shows at once which tile is the reference.
#pragma once

#include <QColor>
#include <QImage>

namespace quantspot::views {

// |a − b| per channel times gain, cut at 255. Images of different size give a null image.
QImage amplifiedDifference(const QImage& a, const QImage& b, int gain);

// The largest |a − b| of the three channels times gain, as a colour: black where equal, over violet and orange to pale yellow at 255 / gain levels or
// more.
QImage heatMap(const QImage& a, const QImage& b, int gain);
QColor heatColor(double share);   // 0 (equal) to 1

// Outlines (Sobel, of the luma): white where both have them, red where only the picture has, cyan where only the reference has.
QImage edgeView(const QImage& picture, const QImage& reference);

}  // namespace quantspot::views
