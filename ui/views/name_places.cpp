#include "ui/views/name_places.h"

namespace quantspot::views {
namespace {

constexpr double kGap = 4, kOutside = 500;   // pixels; what a place beyond the axes costs, in pixels that it would hide

std::vector<QPointF> offsets(const NamedPoint& point) {
  const double away = point.radius + kGap, w = point.name.width(), h = point.name.height();
  return {{away, -h / 2}, {-away - w, -h / 2}, {-w / 2, -away - h}, {-w / 2, away},
          {away, -h * 1.1}, {away, h * 0.1}, {-away - w, -h * 1.1}, {-away - w, h * 0.1},
          {kGap, -away - h}, {kGap, away}, {-kGap - w, -away - h}, {-kGap - w, away}, {away, -h * 2.2}, {away, h * 1.2}};
}

}  // namespace

std::vector<QRectF> placeNames(const std::vector<NamedPoint>& points, std::vector<QRectF> taken, const QRectF& inside) {
  for (const NamedPoint& one : points) taken.push_back(QRectF(one.at - QPointF(one.radius, one.radius), QSizeF(2, 2) * one.radius));
  std::vector<QRectF> places;
  for (const NamedPoint& point : points) {
    QRectF best;
    double leastHidden = 1e9;
    for (const QPointF& offset : offsets(point)) {
      const QRectF place(point.at + offset, point.name);
      double hidden = inside.contains(place) ? 0 : kOutside;
      for (const QRectF& other : taken) {
        const QRectF both = other & place;
        hidden += both.width() * both.height();
      }
      if (hidden < leastHidden) best = place, leastHidden = hidden;
    }
    places.push_back(best), taken.push_back(best);
  }
  return places;
}

}  // namespace quantspot::views
