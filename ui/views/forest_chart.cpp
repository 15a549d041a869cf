#include "ui/views/forest_chart.h"

#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace quantspot::views {
namespace {

constexpr int kRow = 22, kFrame = 46, kLabelled = 44, kCrowded = 520, kLongestLabel = 28;

}  // namespace

void ForestChart::setRows(std::vector<ForestRow> rows, std::vector<ForestLine> lines, const QString& unit) {
  rows_ = std::move(rows), lines_ = std::move(lines), unit_ = unit;
  const int count = static_cast<int>(rows_.size()), height = count > kLabelled ? kCrowded : kFrame + kRow * std::max(2, count);
  plot()->setMinimumHeight(height), plot()->setMaximumHeight(height);
  redraw();
}

// Of everything finite, with a little room.
std::pair<double, double> ForestChart::extent() const {
  double low = INFINITY, high = -INFINITY;
  const auto take = [&](double value) {
    if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
  };
  for (const ForestRow& row : rows_) take(row.value), take(row.low), take(row.high);
  for (const ForestLine& line : lines_) take(line.at);
  if (low > high) low = 0, high = 1;
  const double room = std::max((high - low) * 0.06, 1e-9 + std::abs(high) * 1e-3);
  return {low - room, high + room};
}

void ForestChart::draw() {
  const auto [low, high] = extent();
  plot()->xAxis->setRange(low, high);
  plot()->yAxis->setRange(-static_cast<double>(rows_.size()) + 0.4, 0.6);
  plot()->xAxis->setLabel(unit_);
  plot()->xAxis->grid()->setVisible(true);
  plot()->xAxis->ticker()->setTickCount(5);
  labelRows();
  drawLines();
  drawRows();
}

void ForestChart::labelRows() {
  QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
  if (static_cast<int>(rows_.size()) <= kLabelled) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const QString& label = rows_[i].label;
      ticker->addTick(-static_cast<double>(i), label.size() > kLongestLabel ? label.left(kLongestLabel - 1) + u'…' : label);
    }
  }
  plot()->yAxis->setTicker(ticker);
  plot()->yAxis->setNumberFormat(QStringLiteral("g"));   // or an id such as 2e95 would be set as a power of ten
  plot()->yAxis->setTickLabelColor(theme().text);
}

void ForestChart::drawLines() {
  for (const ForestLine& line : lines_) {
    auto* item = new QCPItemStraightLine(plot());
    item->point1->setCoords(line.at, 0), item->point2->setCoords(line.at, 1);
    item->setPen(QPen(theme().quiet, 1, line.dashed ? Qt::DashLine : Qt::SolidLine));
    item->setSelectable(false);
  }
}

// One plottable per look (colour and filling) instead of one per row, so that a thousand rows stay quick.
void ForestChart::drawRows() {
  std::map<std::pair<QRgb, bool>, std::pair<QCPCurve*, QCPErrorBars*>> looks;
  const QCPRange shown = plot()->xAxis->range();
  const bool many = rows_.size() > 60;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const ForestRow& row = rows_[i];
    auto& [points, bars] = looks[{row.color.rgb(), row.hollow}];
    if (!points) {
      points = new QCPCurve(plot()->xAxis, plot()->yAxis);
      points->setLineStyle(QCPCurve::lsNone);
      points->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(row.color, 1.6), row.hollow ? theme().panel : row.color, many ? 4 : 8));
      bars = new QCPErrorBars(plot()->xAxis, plot()->yAxis);
      bars->setErrorType(QCPErrorBars::etKeyError), bars->setDataPlottable(points);
      bars->setPen(QPen(row.color, many ? 1 : 1.6, row.hollow ? Qt::DotLine : Qt::SolidLine)), bars->setWhiskerWidth(many ? 0 : 7), bars->setSymbolGap(0);
      points->setSelectable(QCP::stNone), bars->setSelectable(QCP::stNone);
    }
    const double y = -static_cast<double>(i), value = std::isfinite(row.value) ? row.value : row.value > 0 ? shown.upper : shown.lower;
    const double low = std::isfinite(row.low) ? row.low : shown.lower, high = std::isfinite(row.high) ? row.high : shown.upper;
    points->addData(static_cast<double>(points->dataCount()), value, y);
    bars->addData(value - low, high - value);
    if (!row.innerLow || !row.innerHigh) continue;
    auto* box = new QCPItemLine(plot());
    box->start->setCoords(*row.innerLow, y), box->end->setCoords(*row.innerHigh, y);
    QColor tint = row.color;
    tint.setAlphaF(0.45F);
    box->setPen(QPen(tint, many ? 3 : 9, Qt::SolidLine, Qt::FlatCap)), box->setSelectable(false);
  }
}

QString ForestChart::tipAt(QPointF position) const {
  const auto row = std::lround(-plot()->yAxis->pixelToCoord(position.y()));
  if (row < 0 || row >= static_cast<long>(rows_.size())) return {};
  return rows_[static_cast<std::size_t>(row)].tip;
}

}  // namespace quantspot::views
