// Where the names of a chart's points stand: beside their points, over other marks only where there is no room at all.
#pragma once

#include <QRectF>

#include <vector>

namespace quantspot::views {

struct NamedPoint {
  QPointF at;             // the middle, in pixels
  double radius = 0;      // of its mark
  QSizeF name;            // what its name needs
};

// One place for each name, in the order of the points. taken: lines and intervals that a name must not cover; the points' own marks and the names
// placed before are avoided, too. inside: the area of the axes.
std::vector<QRectF> placeNames(const std::vector<NamedPoint>& points, std::vector<QRectF> taken, const QRectF& inside);

}  // namespace quantspot::views
