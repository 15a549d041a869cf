#include "ui/views/view_transform.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace quantspot::views {
namespace {

double fittingScale(QSizeF image, QSizeF area) {
  if (image.isEmpty() || area.isEmpty()) return 1;
  const double exact = std::min(area.width() / image.width(), area.height() / image.height());
  return exact > ViewTransform::kNearestAbove ? std::floor(exact) : exact;
}

}  // namespace

double ViewTransform::scale(QSizeF image, QSizeF area) const { return fitted() ? fittingScale(image, area) : scale_; }

QRectF ViewTransform::placed(QSizeF image, QRectF area) const {
  const double s = scale(image, area.size());
  const QPointF corner = area.center() - QPointF(centre_.x() * image.width() * s, centre_.y() * image.height() * s);
  return {QPointF(std::round(corner.x()), std::round(corner.y())), image * s};
}

void ViewTransform::zoom(double factor, QPointF at, QSizeF image, QRectF area) {
  const double before = scale(image, area.size());
  const double smallest = std::min(fittingScale(image, area.size()), 1.0) / 4;
  const double after = std::clamp(before * factor, smallest, kMaximum);
  const QPointF fromCentre = at - area.center();
  const QPointF kept(centre_.x() * image.width() + fromCentre.x() / before, centre_.y() * image.height() + fromCentre.y() / before);
  scale_ = after;
  centre_ = {std::clamp((kept.x() - fromCentre.x() / after) / image.width(), 0.0, 1.0),
             std::clamp((kept.y() - fromCentre.y() / after) / image.height(), 0.0, 1.0)};
}

void ViewTransform::pan(QPointF delta, QSizeF image, QSizeF area) {
  scale_ = scale(image, area);
  centre_ = {std::clamp(centre_.x() - delta.x() / (image.width() * scale_), 0.0, 1.0),
             std::clamp(centre_.y() - delta.y() / (image.height() * scale_), 0.0, 1.0)};
}

void ViewTransform::paint(QPainter& painter, const QImage& image, QRectF area) const {
  const QRectF whole = placed(image.size(), area);
  const QRectF seen = whole & area;
  if (seen.isEmpty()) return;
  const double s = whole.width() / image.width();
  const QRectF source((seen.left() - whole.left()) / s, (seen.top() - whole.top()) / s, seen.width() / s, seen.height() / s);
  const double devicePixels = s * painter.device()->devicePixelRatioF();
  painter.save();
  painter.setRenderHint(QPainter::SmoothPixmapTransform, devicePixels <= kNearestAbove);
  painter.drawImage(seen, image, source);
  painter.restore();
}

}  // namespace quantspot::views
