#include "ui/views/scan_chart.h"

#include "ui/models/policy_layers.h"
#include "ui/models/precision_list_model.h"
#include "ui/views/draft_form.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <cmath>

namespace quantspot::views {
namespace {

constexpr int kHeight = 132;
constexpr qsizetype kNamedBars = 24;      // more have no room for their names

// What tells blocks apart is at both ends.
QString shortened(const QString& name) { return name.size() > 14 ? name.left(6) + u'…' + name.right(7) : name; }

}  // namespace

ScanChart::ScanChart(QWidget* parent) : QWidget(parent), plot_(new QCustomPlot) {
  setFixedHeight(kHeight);
  setAccessibleName(QStringLiteral("Error of each layer alone"));
  plot_->setMouseTracking(true);
  plot_->installEventFilter(this);
  leaveWheelToPage(plot_);
  plot_->setFocusPolicy(Qt::NoFocus);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(plot_);
  draw();
}

void ScanChart::setGroups(std::vector<protocol::ScannedGroup> groups) {
  groups_ = std::move(groups);
  draw();
}

void ScanChart::draw() {
  const Theme& t = theme();
  plot_->clearPlottables();
  plot_->setBackground(t.panel);
  double highest = 0;
  auto* bars = new QCPBars(plot_->xAxis, plot_->yAxis);
  bars->setPen(Qt::NoPen), bars->setBrush(t.accent), bars->setWidth(0.78);
  auto names = QSharedPointer<QCPAxisTickerText>::create();
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    bars->addData(static_cast<double>(i), 100 * groups_[i].error);
    highest = std::max(highest, 100 * groups_[i].error);
    const QString name = QString::fromStdString(groups_[i].name);
    if (static_cast<qsizetype>(groups_.size()) <= kNamedBars) names->addTick(static_cast<double>(i), shortened(name));
  }
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.82);
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) {
    axis->setBasePen(QPen(t.line)), axis->setTickPen(Qt::NoPen), axis->setSubTickPen(Qt::NoPen);
    axis->setTickLabelColor(t.quiet), axis->setTickLabelFont(small), axis->setLabelColor(t.quiet), axis->setLabelFont(small);
    axis->grid()->setPen(QPen(t.line, 1)), axis->grid()->setZeroLinePen(Qt::NoPen);
  }
  plot_->xAxis->grid()->setVisible(false);
  plot_->xAxis->setTicker(names);
  plot_->xAxis->setTickLabelRotation(groups_.size() > 8 ? 30 : 0);
  plot_->xAxis->setRange(-0.6, std::max(0.6, static_cast<double>(groups_.size()) - 0.4));
  plot_->yAxis->setLabel(QStringLiteral("error, %"));
  plot_->yAxis->ticker()->setTickCount(4);
  plot_->yAxis->setRange(0, highest > 0 ? 1.12 * highest : 1);
  plot_->replot();
}

int ScanChart::groupAt(QPointF position) const {
  const int at = static_cast<int>(std::lround(plot_->xAxis->pixelToCoord(position.x())));
  return at >= 0 && at < static_cast<int>(groups_.size()) ? at : -1;
}

bool ScanChart::eventFilter(QObject* watched, QEvent* event) {
  if (watched != plot_) return QWidget::eventFilter(watched, event);
  if (event->type() == QEvent::MouseMove || event->type() == QEvent::MouseButtonPress) {
    const auto* mouse = static_cast<QMouseEvent*>(event);
    const int at = groupAt(mouse->position());
    if (at < 0) return QToolTip::hideText(), false;
    const protocol::ScannedGroup& group = groups_[static_cast<std::size_t>(at)];
    if (event->type() == QEvent::MouseButtonPress) {
      QStringList layers;
      for (const std::string& layer : group.layers) layers << QString::fromStdString(layer);
      Q_EMIT chosen(layers);
    } else {
      QToolTip::showText(mouse->globalPosition().toPoint(), QStringLiteral("%1: error %2, %3 instead of %4").arg(QString::fromStdString(group.name),
                         ui::errorText(group.error), ui::fileSizeText(group.after), ui::fileSizeText(group.before)), plot_);
    }
  }
  return false;
}

void ScanChart::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) draw();
  QWidget::changeEvent(event);
}

}  // namespace quantspot::views
