// A chart of variants' figures.
#pragma once

#include "ui/views/card.h"
#include "ui/views/figures.h"

class QCPBars;

namespace quantspot::views {

class ChartCard : public PlotCard {
  Q_OBJECT
 public:
  using PlotCard::PlotCard;

  void setFigures(std::vector<Figures> figures);
  const std::vector<Figures>& figures() const { return figures_; }

 protected:
  bool hasData() const override { return !figures_.empty(); }

 private:
  std::vector<Figures> figures_;
};

// One segment of a stacked bar, on top of `below` (null: on the axis), for one variant.
QCPBars* addSegment(QCustomPlot* plot, QCPAxis* keyAxis, QCPAxis* valueAxis, QCPBars* below, double key, double value, const QColor& color);
// Rich text: the unit, and the four phases with their tints in grey.
QString phaseLegend(const QString& unit);
// The tints of one family by which phases are told apart: load the lightest, decode the darkest.
QColor phaseTint(const QColor& family, int phase);

}  // namespace quantspot::views
