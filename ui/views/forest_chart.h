// Values with their intervals, one row each, from top to bottom.
#pragma once

#include "ui/views/card.h"

#include <QColor>

#include <optional>
#include <vector>

namespace quantspot::views {

struct ForestRow {
  QString label;
  double value = 0, low = 0, high = 0;   // low and high may be infinite: the interval then leaves the picture
  QColor color;
  bool hollow = false;                   // a second look at the row above, such as a model beside the pooled figure
  QString tip;
  std::optional<double> innerLow, innerHigh;   // a thick part, such as the quartiles
};

// A vertical line to compare with.
struct ForestLine {
  double at = 0;
  QString label;
  bool dashed = false;
};

class ForestChart : public PlotCard {
  Q_OBJECT
 public:
  using PlotCard::PlotCard;

  // The height follows the rows; above 44 of them they move closer and lose their labels (the tips keep them).
  void setRows(std::vector<ForestRow> rows, std::vector<ForestLine> lines, const QString& unit);
  const std::vector<ForestRow>& rows() const { return rows_; }

 protected:
  void draw() override;
  bool hasData() const override { return !rows_.empty(); }
  QString tipAt(QPointF position) const override;

 private:
  void drawRows();
  void drawLines();
  void labelRows();
  std::pair<double, double> extent() const;

  std::vector<ForestRow> rows_;
  std::vector<ForestLine> lines_;
  QString unit_;
};

}  // namespace quantspot::views
