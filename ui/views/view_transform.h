// How an image lies in its area. One object is shared by every tile, so that all of them always show the same part of the
// picture at the same scale through the same interpolation.
#pragma once

#include <QImage>
#include <QPointF>
#include <QRectF>

class QPainter;

namespace quantspot::views {

class ViewTransform {
 public:
  static constexpr double kNearestAbove = 3.0;    // device pixels per image pixel
  static constexpr double kMaximum = 64.0;

  bool fitted() const { return scale_ <= 0; }
  void fit() { scale_ = 0; centre_ = {0.5, 0.5}; }

  // Logical pixels per image pixel. Above 300 % images are fitted by whole numbers only: without interpolation no pixel
  // may become wider than its neighbour.
  double scale(QSizeF image, QSizeF area) const;
  // Multiplies the scale; what lies at `at` (in the area) stays there.
  void zoom(double factor, QPointF at, QSizeF image, QRectF area);
  void pan(QPointF delta, QSizeF image, QSizeF area);

  // Where the whole image lies; may reach beyond the area.
  QRectF placed(QSizeF image, QRectF area) const;
  // Draws the part that is inside the area, nearest neighbour above 300 %, bilinear below.
  void paint(QPainter& painter, const QImage& image, QRectF area) const;

  bool operator==(const ViewTransform&) const = default;

 private:
  double scale_ = 0;               // 0: fitted
  QPointF centre_{0.5, 0.5};       // the point of the image (0 to 1) in the middle of the area
};

}  // namespace quantspot::views
