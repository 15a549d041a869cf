#include "ui/views/bar_charts.h"

#include "ui/models/precision_list_model.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kRoom = 1.36;            // of the longest bar: the value stands behind it

// Bars run downwards in the order of the request: variant i lies at −i.
void nameVariants(QCustomPlot* plot, const std::vector<Figures>& figures) {
  auto ticker = QSharedPointer<QCPAxisTickerText>::create();
  for (std::size_t i = 0; i < figures.size(); ++i) ticker->addTick(-double(i), figures[i].label);
  plot->yAxis->setTicker(ticker);
  plot->yAxis->setTickLabelColor(theme().text);
  plot->yAxis->setBasePen(Qt::NoPen);
  plot->yAxis->setRange(-double(figures.size()) + 0.45, 0.55);
  plot->xAxis->grid()->setVisible(true);
  plot->xAxis->setBasePen(Qt::NoPen);
}

void addValueLabel(QCustomPlot* plot, double key, double value, const QString& text) {
  auto* label = new QCPItemText(plot);
  label->position->setCoords(value, key);
  label->setPositionAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  label->setPadding({5, 0, 0, 0});
  label->setText(text);
  label->setColor(theme().quiet);
  label->setFont(plot->xAxis->tickLabelFont());
}

const Figures* variantAt(const ChartCard& card, QPointF position) {
  const double at = -card.plot()->yAxis->pixelToCoord(position.y());
  const int row = static_cast<int>(std::floor(at + 0.5));
  return row >= 0 && row < static_cast<int>(card.figures().size()) ? &card.figures()[row] : nullptr;
}

// Without figures there is nothing to lay a scale on.
bool noneIs(const ChartCard& card, bool Figures::*told) {
  const bool none = !card.figures().empty() && std::ranges::none_of(card.figures(), told);
  card.plot()->xAxis->setVisible(!none), card.plot()->yAxis->setVisible(!none);
  return none;
}

double largest(const std::vector<Figures>& figures, double (*value)(const Figures&)) {
  double result = 0;
  for (const Figures& f : figures) result = std::max(result, value(f));
  return result > 0 ? result : 1;
}

}  // namespace

MemoryChart::MemoryChart(QWidget* parent) : ChartCard(QStringLiteral("Peak memory"), parent) {}

void MemoryChart::draw() {
  if (noneIs(*this, &Figures::peaked)) return setNote(QStringLiteral("Nothing is told of their memory"));
  setNote(phaseLegend(QStringLiteral("MiB over idle")));
  nameVariants(plot(), figures());
  for (std::size_t i = 0; i < figures().size(); ++i) {
    const Figures& f = figures()[i];
    QCPBars* below = nullptr;
    double reached = 0;
    for (int phase = 0; phase < PhaseCount; ++phase) {
      const double raised = std::max(0.0, f.peak[phase] - reached);
      if (raised > 0) below = addSegment(plot(), plot()->yAxis, plot()->xAxis, below, -double(i), raised / kMiB, phaseTint(f.color, phase));
      reached += raised;
    }
    addValueLabel(plot(), -double(i), reached / kMiB, f.peaked ? peakText(reached) : QString::fromUtf8(kUntold));
  }
  plot()->xAxis->setRange(0, kRoom * largest(figures(), [](const Figures& f) { return f.highestPeak(); }) / kMiB);
}

QString MemoryChart::tipAt(QPointF position) const {
  const Figures* f = variantAt(*this, position);
  if (!f || !f->peaked) return {};
  const auto text = [&](Phase phase) { return peakText(f->peak[phase]); };
  return QStringLiteral("%1: peak above the idle engine while loading %2, encoding %3, denoising %4, decoding %5; weights %6")
      .arg(f->label, text(Load), text(Encode), text(Denoise), text(Decode), ui::fileSizeText(static_cast<qint64>(f->weights)));
}

LatencyChart::LatencyChart(QWidget* parent) : ChartCard(QStringLiteral("Latency"), parent) {}

void LatencyChart::draw() {
  if (noneIs(*this, &Figures::timed)) return setNote(QStringLiteral("Nothing is told of their time"));
  setNote(phaseLegend(QStringLiteral("s")));
  nameVariants(plot(), figures());
  const double longest = largest(figures(), [](const Figures& f) { return f.phases() > 0 ? f.phases() : f.total; });
  const double pixelsPerSecond = std::max(160, plot()->width() - 90) / (kRoom * longest);
  for (std::size_t i = 0; i < figures().size(); ++i) {
    const Figures& f = figures()[i];
    const double key = -double(i);
    const auto add = [&](QCPBars* below, double seconds, int phase) {
      return addSegment(plot(), plot()->yAxis, plot()->xAxis, below, key, seconds, phaseTint(f.color, phase));
    };
    if (f.phases() <= 0) {                 // made elsewhere: only the whole is known
      if (f.total > 0) add(nullptr, f.total, Denoise);
      addValueLabel(plot(), key, f.total, f.timed ? secondsText(f.total) : QString::fromUtf8(kUntold));
      continue;
    }
    QCPBars* bar = add(add(nullptr, f.load, Load), f.encode, Encode);
    const double perStep = f.steps.empty() ? 0 : f.denoise() / static_cast<double>(f.steps.size());
    const bool countable = perStep * pixelsPerSecond >= 3;
    for (std::size_t step = 0; step < f.steps.size() && countable; ++step) {
      bar = add(bar, f.steps[step], Denoise);
      if (step % 2) bar->setBrush(phaseTint(f.color, Denoise).lighter(108));   // so that steps can be counted
    }
    if (!countable) bar = add(bar, f.denoise(), Denoise);
    add(bar, f.decode, Decode);
    addValueLabel(plot(), key, f.phases(), secondsText(f.total));
  }
  plot()->xAxis->setRange(0, kRoom * longest);
}

QString LatencyChart::tipAt(QPointF position) const {
  const Figures* f = variantAt(*this, position);
  if (!f || f->phases() <= 0) return {};
  const double step = f->steps.empty() ? 0 : f->denoise() / static_cast<double>(f->steps.size());
  return QStringLiteral("%1: load %2, encode %3, %4 steps of %5, decode %6")
      .arg(f->label, secondsText(f->load), secondsText(f->encode)).arg(f->steps.size()).arg(secondsText(step), secondsText(f->decode));
}

}  // namespace quantspot::views
