#include "ui/views/chart_card.h"

#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolTip>
#include <QVBoxLayout>

namespace quantspot::views {

ChartCard::ChartCard(const QString& title, QWidget* parent)
    : QWidget(parent), titleRow_(new QHBoxLayout), title_(new QLabel(title)), note_(new QLabel), plot_(new QCustomPlot) {
  title_->setProperty("role", "title");
  note_->setProperty("role", "quiet");
  note_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.88);
  note_->setFont(small);
  plot_->setMinimumSize(160, 110);
  plot_->setMouseTracking(true);
  plot_->installEventFilter(this);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(2);
  titleRow_->setContentsMargins(0, 0, 0, 0);
  titleRow_->addWidget(title_), titleRow_->addStretch(1);
  title_->setFixedHeight(28);
  layout->addLayout(titleRow_), layout->addWidget(note_), layout->addWidget(plot_, 1);
}

void ChartCard::setFigures(std::vector<Figures> figures) {
  figures_ = std::move(figures);
  redraw();
}

void ChartCard::addToTitle(QWidget* widget) { titleRow_->addWidget(widget); }
void ChartCard::setNote(const QString& note) { note_->setText(note); }

void ChartCard::styleAxis(QCPAxis* axis) {
  const Theme& t = theme();
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.85);
  axis->setBasePen(QPen(t.line)), axis->setTickPen(Qt::NoPen), axis->setSubTickPen(Qt::NoPen);
  axis->setTickLabelColor(t.quiet), axis->setLabelColor(t.quiet);
  axis->setTickLabelFont(small), axis->setLabelFont(small);
  axis->grid()->setPen(QPen(t.line, 1)), axis->grid()->setZeroLinePen(Qt::NoPen);
  axis->grid()->setVisible(false);
  axis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  axis->setLabel({}), axis->setTickLabelPadding(4), axis->setLabelPadding(2), axis->setScaleType(QCPAxis::stLinear);
}

void ChartCard::redraw() {
  forget();
  plot_->clearPlottables(), plot_->clearItems();
  plot_->setBackground(theme().panel);
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) styleAxis(axis);
  plot_->legend->setVisible(false);
  if (figures_.empty()) setNote({});
  else draw();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void ChartCard::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange) redraw();
  QWidget::changeEvent(event);
}

bool ChartCard::eventFilter(QObject* watched, QEvent* event) {
  if (watched == plot_ && event->type() == QEvent::MouseMove) {
    auto* mouse = static_cast<QMouseEvent*>(event);
    const QString tip = tipAt(mouse->position());
    if (tip.isEmpty()) QToolTip::hideText();
    else QToolTip::showText(mouse->globalPosition().toPoint(), tip, plot_);
  }
  return QWidget::eventFilter(watched, event);
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
