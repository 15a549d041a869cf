#include "ui/views/quality_chart.h"

#include "ui/views/name_places.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QComboBox>

#include <algorithm>
#include <cmath>

namespace quantspot::views {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

std::optional<double> valueOf(const Figures& f, QualityChart::Measure measure) {
  switch (measure) {
    case QualityChart::Measure::Clip: return f.scores.clip;
    case QualityChart::Measure::Psnr: return f.scores.psnr;
    case QualityChart::Measure::Ssim: return f.scores.ssim;
  }
  return {};
}

// The range of the values with room for the points' labels; never of no width.
QCPRange roomy(double low, double high, double before, double after) {
  const double width = std::max(high - low, std::max(std::abs(high), 1e-6) * 0.02);
  return {low - before * width, high + after * width};
}

}  // namespace

std::vector<QualityPoint> paretoFront(std::vector<QualityPoint> points) {
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) {
    return a.memory != b.memory ? a.memory < b.memory : a.quality > b.quality;
  });
  std::vector<QualityPoint> front;
  for (const QualityPoint& point : points)
    if (front.empty() || point.quality > front.back().quality) front.push_back(point);
  return front;
}

QualityChart::QualityChart(QWidget* parent) : ChartCard(QStringLiteral("Quality"), parent), choice_(new QComboBox) {
  choice_->addItems({QStringLiteral("CLIP"), QStringLiteral("PSNR"), QStringLiteral("SSIM")});
  choice_->setFixedHeight(28);
  choice_->setAccessibleName(QStringLiteral("Measure of quality"));
  addToTitle(choice_);
  connect(plot(), &QCustomPlot::afterLayout, this, &QualityChart::placeLabels);
  connect(choice_, &QComboBox::currentIndexChanged, this, [this](int index) { setMeasure(static_cast<Measure>(index)); });
}

void QualityChart::setMeasure(Measure measure) {
  measure_ = measure;
  choice_->setCurrentIndex(static_cast<int>(measure));
  redraw();
}

std::vector<QualityPoint> QualityChart::points() const {
  std::vector<QualityPoint> result;
  for (std::size_t i = 0; i < figures().size(); ++i) {
    const auto value = valueOf(figures()[i], measure_);
    if (value && std::isfinite(*value) && figures()[i].peaked) result.push_back({figures()[i].highestPeak() / kMiB, *value, static_cast<int>(i)});
  }
  return result;
}

void QualityChart::nameClip() {
  for (const Figures& one : figures())
    if (!one.scores.clip_label.isEmpty()) return choice_->setItemText(static_cast<int>(Measure::Clip), one.scores.clip_label);
}

void QualityChart::draw() {
  nameClip();
  const auto all = points();
  const bool untold = std::ranges::any_of(figures(), [this](const Figures& f) { return !f.peaked && valueOf(f, measure_); });
  setNote(all.empty() ? (untold ? QStringLiteral("Nothing is told of their memory") : QStringLiteral("No measurement yet")) : QStringLiteral("One picture, so no interval; larger: slower"));
  plot()->xAxis->setVisible(!all.empty()), plot()->yAxis->setVisible(!all.empty());
  if (all.empty()) return;
  plot()->xAxis->setLabel(QStringLiteral("peak memory above the idle engine, MiB"));
  plot()->yAxis->setLabel(measure_ == Measure::Psnr ? QStringLiteral("dB") : QString());
  plot()->xAxis->grid()->setVisible(true), plot()->yAxis->grid()->setVisible(true);
  plot()->yAxis->ticker()->setTickCount(4), plot()->xAxis->ticker()->setTickCount(4);
  drawFront(all);
  drawPoints(all);
  const auto [left, right] = std::minmax_element(all.begin(), all.end(), [](auto& a, auto& b) { return a.memory < b.memory; });
  const auto [low, high] = std::minmax_element(all.begin(), all.end(), [](auto& a, auto& b) { return a.quality < b.quality; });
  plot()->xAxis->setRange(roomy(left->memory, right->memory, 0.2, 0.65));
  plot()->yAxis->setRange(roomy(low->quality, high->quality, 0.35, 0.35));
}

void QualityChart::drawFront(const std::vector<QualityPoint>& points) {
  QCPGraph* line = plot()->addGraph();
  line->setLineStyle(QCPGraph::lsStepLeft);
  line->setPen(QPen(theme().quiet, 1, Qt::DashLine));
  for (const QualityPoint& point : paretoFront(points)) line->addData(point.memory, point.quality);
}

void QualityChart::drawPoints(const std::vector<QualityPoint>& points) {
  double longest = 1e-9;
  for (const Figures& f : figures()) longest = std::max(longest, f.total);
  for (const QualityPoint& point : points) {
    const Figures& f = figures()[point.variant];
    const double size = 7 + 9 * std::sqrt(f.total / longest);
    QCPGraph* dot = plot()->addGraph();
    dot->setLineStyle(QCPGraph::lsNone);
    dot->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().panel, 1.5), f.color, size));
    dot->addData(point.memory, point.quality);
    auto* label = new QCPItemText(plot());
    label->position->setCoords(point.memory, point.quality);
    label->setText(f.label), label->setColor(theme().text), label->setFont(plot()->xAxis->tickLabelFont());
    labels_.push_back({label, {point.memory, point.quality}, size / 2});
  }
}

void QualityChart::placeLabels() {
  const auto pixel = [this](QPointF at) { return QPointF(plot()->xAxis->coordToPixel(at.x()), plot()->yAxis->coordToPixel(at.y())); };
  std::vector<QRectF> taken;
  const auto front = paretoFront(points());            // its line, too, is no place for names
  for (std::size_t i = 1; i < front.size(); ++i) {
    const QPointF from = pixel({front[i - 1].memory, front[i - 1].quality}), to = pixel({front[i].memory, front[i].quality});
    taken.push_back(QRectF(from, QPointF(to.x(), from.y())).normalized().adjusted(0, -1.5, 0, 1.5));
    taken.push_back(QRectF(QPointF(to.x(), from.y()), to).normalized().adjusted(-1.5, 0, 1.5, 0));
  }
  const QFontMetricsF metrics(plot()->xAxis->tickLabelFont());
  std::vector<NamedPoint> named;
  for (const Label& label : labels_)
    named.push_back({pixel(label.at), label.radius, {metrics.horizontalAdvance(label.text->text()) + 2, metrics.height()}});
  const std::vector<QRectF> places = placeNames(named, std::move(taken), QRectF(plot()->axisRect()->rect()));
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    labels_[i].text->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    labels_[i].text->setPadding({});
    labels_[i].text->position->setCoords(plot()->xAxis->pixelToCoord(places[i].left()), plot()->yAxis->pixelToCoord(places[i].top()));
  }
}

QString QualityChart::tipAt(QPointF position) const {
  for (const QualityPoint& point : points()) {
    const QPointF at(plot()->xAxis->coordToPixel(point.memory), plot()->yAxis->coordToPixel(point.quality));
    if ((at - position).manhattanLength() < 14)
      return QStringLiteral("%1: %2 at %3 MiB in %4").arg(figures()[point.variant].label).arg(point.quality, 0, 'g', 4)
          .arg(point.memory, 0, 'f', 0).arg(secondsText(figures()[point.variant].total));
  }
  return {};
}

}  // namespace quantspot::views
