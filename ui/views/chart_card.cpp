#include "ui/views/chart_card.h"

#include "ui/views/theme.h"

#include "ui/views/plot.h"

namespace quantspot::views {

void ChartCard::setFigures(std::vector<Figures> figures) {
  figures_ = std::move(figures);
  redraw();
}

QCPBars* addSegment(QCustomPlot* plot, QCPAxis* keyAxis, QCPAxis* valueAxis, QCPBars* below, double key, double value, const QColor& color) {
  auto* bars = new QCPBars(keyAxis, valueAxis);
  bars->setWidth(0.62);
  bars->setBrush(color), bars->setPen(Qt::NoPen);
  bars->setAntialiased(false);
  bars->setStackingGap(0);                         // a gap of a pixel would eat short segments
  bars->addData(key, value);
  if (below) bars->moveAbove(below);
  bars->setSelectable(QCP::stNone);
  Q_UNUSED(plot);
  return bars;
}

QString phaseLegend(const QString& unit) {
  static const char* const kNames[PhaseCount] = {"load", "encode", "steps", "decode"};
  QString text = unit;
  for (int phase = 0; phase < PhaseCount; ++phase)
    text += QStringLiteral(" &nbsp;<span style='color:%1'>■</span> %2").arg(phaseTint(theme().quiet, phase).name(), QLatin1String(kNames[phase]));
  return text;
}

QColor phaseTint(const QColor& family, int phase) {
  static constexpr double kMix[PhaseCount] = {0.35, 0.6, 1.0, 1.0};
  const QColor ground = theme().panel;
  const double mix = kMix[phase];
  const auto blend = [mix](int a, int b) { return static_cast<int>(a * mix + b * (1 - mix)); };
  const QColor tint(blend(family.red(), ground.red()), blend(family.green(), ground.green()), blend(family.blue(), ground.blue()));
  return phase == Decode ? tint.darker(150) : tint;
}

}  // namespace quantspot::views
