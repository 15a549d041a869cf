// A small picture that is not like any of another shade.
#pragma once

#include <QColor>
#include <QImage>

namespace quantspot::test {

inline QImage picture(int shade, QSize size = {24, 16}) {
  QImage image(size, QImage::Format_RGB888);
  for (int y = 0; y < size.height(); ++y)
    for (int x = 0; x < size.width(); ++x) image.setPixelColor(x, y, QColor(shade, 5 * x, 5 * y));
  return image;
}

}  // namespace quantspot::test
