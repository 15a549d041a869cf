#include "ui/views/charts_panel.h"

#include "ui/views/bar_charts.h"
#include "ui/views/eyes_chart.h"
#include "ui/views/quality_chart.h"

#include <QGridLayout>
#include <QVariantAnimation>

namespace quantspot::views {
namespace {
constexpr int kRowHeight = 236, kSlideMs = 320;
}

ChartsPanel::ChartsPanel(QWidget* parent)
    : QFrame(parent), memory_(new MemoryChart), latency_(new LatencyChart), quality_(new QualityChart), eyes_(new EyesChart),
      grid_(new QGridLayout(this)), slide_(new QVariantAnimation(this)) {
  setObjectName(QStringLiteral("charts"));
  grid_->setContentsMargins(18, 12, 18, 10);
  grid_->setHorizontalSpacing(26), grid_->setVerticalSpacing(20);
  arrange(4);
  for (Card* card : std::initializer_list<Card*>{memory_, latency_, quality_}) card->wrapNote();
  hideAtOnce();
  slide_->setDuration(kSlideMs);
  slide_->setStartValue(0), slide_->setEndValue(kRowHeight);
  slide_->setEasingCurve(QEasingCurve::OutCubic);
  connect(slide_, &QVariantAnimation::valueChanged, this, [this](const QVariant& height) { setFixedHeight(height.toInt()); });
}

void ChartsPanel::arrange(int columns) {
  QWidget* charts[] = {memory_, latency_, quality_, eyes_};
  for (int i = 0; i < 4; ++i) grid_->addWidget(charts[i], i / columns, i % columns);
  for (int i = 0; i < 4; ++i) grid_->setColumnStretch(i, i < columns ? 1 : 0), grid_->setRowStretch(i, i < 4 / columns ? 1 : 0);
}

void ChartsPanel::setFigures(const std::vector<Figures>& figures) {
  memory_->setFigures(figures);
  latency_->setFigures(figures);
  quality_->setFigures(figures);
}

void ChartsPanel::slideIn() {
  if (isOut()) return;
  setFixedHeight(0);
  show();
  slide_->start();
}

void ChartsPanel::hideAtOnce() {
  slide_->stop();
  hide();
}

void ChartsPanel::setWholePage(bool whole) {
  slide_->stop();
  arrange(whole ? 2 : 4);
  setMinimumHeight(whole ? 0 : kRowHeight), setMaximumHeight(whole ? QWIDGETSIZE_MAX : kRowHeight);
}

}  // namespace quantspot::views
