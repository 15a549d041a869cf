// Peak memory and latency of the variants, one bar each, in the order of the request.
#pragma once

#include "ui/views/chart_card.h"

namespace quantspot::views {

// Peaks of phases do not add up: each segment is what its phase adds to the highest peak so far, so that the bar ends at
// the true peak and shows which phases raised it. The numbers of all phases are in the tip.
class MemoryChart : public ChartCard {
  Q_OBJECT
 public:
  explicit MemoryChart(QWidget* parent = nullptr);

 protected:
  void draw() override;
  QString tipAt(QPointF position) const override;
};

// Load (with quantizing) | encode | every step | decode, from left to right.
class LatencyChart : public ChartCard {
  Q_OBJECT
 public:
  explicit LatencyChart(QWidget* parent = nullptr);

 protected:
  void draw() override;
  QString tipAt(QPointF position) const override;
};

}  // namespace quantspot::views
