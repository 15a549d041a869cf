#include "ui/views/evaluate_charts.h"

#include "evaluation/figures.h"
#include "ui/models/precision_names.h"
#include "ui/views/draft_form.h"
#include "ui/views/name_places.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QComboBox>
#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <map>

namespace quantspot::views {
namespace {

using nlohmann::json;

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::size_t kFewPoints = 32;   // of a line: more stand too close for intervals
constexpr int kReach = 9;                // pixels from a point that still mean it
constexpr int kLevelNames = 4;            // categories whose names stand side by side; of more they slant

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }
QString shortText(const json& precision) { return ui::shortName(text(precision.get<std::string>())); }

const json* value(const json& row, const std::string& figure) {
  const auto found = row["figures"].find(figure);
  return found == row["figures"].end() || !(*found)["value"].is_number() ? nullptr : &*found;
}

}  // namespace

EvaluateCharts::EvaluateCharts(QWidget* parent) : QWidget(parent), figure_(new QComboBox), note_(new QLabel) {
  static const char* const kTitles[PlotCount] = {"Quality against memory", "Quality by category", "Each prompt and seed", "Time of each step",
                                                 "Memory over time", "Error of the latents"};
  static const char* const kTips[PlotCount] = {
      "Larger: slower; line: Pareto front, of which nothing is better in quality, memory and time", "Means with 95 % intervals",
      "Press a point for its pictures", "Means over the pictures", "Of one picture of each precision, above what the engine had before",
      "Relative L2 against the baseline's after each step; asked for under Measure"};
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins(0, 0, 0, 0), grid->setSpacing(10);
  figure_->setAccessibleName(QStringLiteral("Measure of quality")), figure_->setFixedWidth(160);
  note_->setProperty("role", "quiet"), note_->setWordWrap(true), note_->setTextFormat(Qt::RichText);
  grid->addWidget(note_, 0, 0, 1, 2), grid->addWidget(figure_, 0, 2, Qt::AlignRight);
  for (int i = 0; i < PlotCount; ++i) {
    auto* title = new QLabel(QLatin1String(kTitles[i]));
    title->setProperty("role", "title"), title->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    title->setToolTip(QString::fromUtf8(kTips[i]));
    auto* plot = new QCustomPlot;
    plot->setMinimumSize(150, 110), plot->setMouseTracking(true), plot->installEventFilter(this);
    leaveWheelToPage(plot);
    plot->setFocusPolicy(Qt::NoFocus), plot->setAccessibleName(QLatin1String(kTitles[i]));
    if (i == Quality) connect(plot, &QCustomPlot::afterLayout, this, &EvaluateCharts::placeNamesOfQuality);
    plots_.push_back(plot);
    grid->addWidget(title, 1 + 2 * (i / 3), i % 3), grid->addWidget(plot, 2 + 2 * (i / 3), i % 3);
    grid->setRowStretch(2 + 2 * (i / 3), 1), grid->setColumnStretch(i % 3, 1);
  }
  connect(figure_, &QComboBox::activated, this, &EvaluateCharts::redraw);
  redraw();
}

void EvaluateCharts::setReport(const json& report) {
  report_ = report;
  fillFigures();
  redraw();
}

// Figures that say how good a picture is and that two precisions have.
void EvaluateCharts::fillFigures() {
  const QString chosen = figure_->currentData().toString();
  figure_->clear();
  if (!report_.is_object()) return;
  for (const evaluation::FigureInfo& info : evaluation::figures()) {
    if (info.source == evaluation::Source::Report) continue;
    int have = 0;
    for (const json& row : report_["summary"]) have += value(row, std::string(info.id)) ? 1 : 0;
    if (have > 0) figure_->addItem(text(evaluation::labelOf(report_, info)), text(std::string(info.id)));
  }
  const QString usual = text(report_["pareto"]["quality"]);
  figure_->setCurrentIndex(std::max(0, figure_->findData(chosen.isEmpty() ? usual : chosen)));
}

std::string EvaluateCharts::quality() const { return figure_->currentData().toString().toStdString(); }

void EvaluateCharts::style(QCPAxis* axis) {
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.85);
  axis->setBasePen(QPen(theme().line)), axis->setTickPen(Qt::NoPen), axis->setSubTickPen(Qt::NoPen);
  axis->setTickLabelColor(theme().quiet), axis->setLabelColor(theme().quiet), axis->setTickLabelFont(small), axis->setLabelFont(small);
  axis->grid()->setPen(QPen(theme().line)), axis->grid()->setZeroLinePen(Qt::NoPen);
  axis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker)), axis->ticker()->setTickCount(4);
  axis->setTickLabelRotation(0);
}

void EvaluateCharts::clear(Plot which, const QString& x, const QString& y) {
  QCustomPlot* plot = plots_[which];
  plot->clearPlottables(), plot->clearItems();
  plot->setBackground(theme().panel);
  for (QCPAxis* axis : {plot->xAxis, plot->yAxis}) style(axis);
  plot->xAxis->setLabel(x), plot->yAxis->setLabel(y);
}

void EvaluateCharts::redraw() {
  marks_.clear();
  const bool any = report_.is_object();
  note_->setText(any ? legend() : QStringLiteral("Charts appear with the first pictures"));
  names_.clear();
  clear(Quality, QStringLiteral("peak memory, MiB"), figure_->currentText()), clear(Categories, {}, figure_->currentText());
  clear(Prompts, {}, {});
  if (any && figure_->count() > 0) drawQuality(), drawCategories(), drawPrompts();
  drawLines(Steps, any ? series("step_seconds", "step") : std::vector<Series>{}, QStringLiteral("step"), QStringLiteral("s"));
  drawLines(Memory, any ? memorySeries() : std::vector<Series>{}, QStringLiteral("s"), QStringLiteral("MiB"));
  drawLines(Growth, any ? series("growth", "call") : std::vector<Series>{}, QStringLiteral("step"), QStringLiteral("relative"));
  for (QCustomPlot* plot : plots_) {
    for (QCPAxis* axis : {plot->xAxis, plot->yAxis}) axis->setVisible(plot->plottableCount() > 0);
    plot->replot(QCustomPlot::rpQueuedReplot);
  }
}

void EvaluateCharts::addPoint(Plot which, double x, double y, const QColor& color, double size, bool filled) {
  QCPGraph* dot = plots_[which]->addGraph();
  dot->setLineStyle(QCPGraph::lsNone);
  dot->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(color, 1.5), filled ? QBrush(color) : QBrush(theme().panel), size));
  dot->addData(x, y);
}

void EvaluateCharts::addInterval(Plot which, double x, const json& ci, const QColor& color) {
  if (!ci.is_array()) return;
  QCPGraph* bar = plots_[which]->addGraph();
  bar->setPen(QPen(color, 1.2));
  bar->addData(x, ci[0].get<double>()), bar->addData(x, ci[1].get<double>());
}

void EvaluateCharts::fit(Plot which, bool fromZero) {
  QCustomPlot* plot = plots_[which];
  plot->rescaleAxes();
  for (QCPAxis* axis : {plot->xAxis, plot->yAxis}) {
    const QCPRange range = axis->range();
    const double air = range.size() > 0 ? 0.1 * range.size() : std::max(0.5, std::abs(range.center()) * 0.05);
    axis->setRange(range.lower - air, range.upper + air);
  }
  if (fromZero) plot->yAxis->setRangeLower(std::min(0.0, plot->yAxis->range().lower >= 0 ? 0.0 : plot->yAxis->range().lower));
}

void EvaluateCharts::drawQuality() {
  double slowest = 1e-9;
  std::map<double, double> front;
  for (const json& row : report_["summary"])
    if (const json* latency = value(row, "latency")) slowest = std::max(slowest, (*latency)["value"].get<double>());
  QCPGraph* line = plots_[Quality]->addGraph();
  line->setPen(QPen(theme().quiet, 1, Qt::DashLine));
  for (const json& row : report_["summary"]) {
    const json *q = value(row, quality()), *memory = value(row, "memory"), *latency = value(row, "latency");
    if (!q || !memory) continue;
    const double x = (*memory)["value"].get<double>() / kMiB, y = (*q)["value"], seconds = latency ? (*latency)["value"].get<double>() : 0;
    bool best = false;
    for (const json& point : report_["pareto"]["points"]) best = best || (point["precision"] == row["precision"] && point["front"].get<bool>());
    if (best) front[x] = y;
    addInterval(Quality, x, (*q)["ci95"], colorOf(row["precision"]));
    const double size = 7 + 9 * std::sqrt(seconds / slowest);
    addPoint(Quality, x, y, colorOf(row["precision"]), size, best);
    auto* label = new QCPItemText(plots_[Quality]);
    label->setText(shortText(row["precision"])), label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop), label->setPadding({});
    label->setColor(theme().text), label->setFont(plots_[Quality]->xAxis->tickLabelFont());
    const json& ci = (*q)["ci95"];
    names_.push_back({label, x, y, size / 2, ci.is_array() ? ci[0].get<double>() : y, ci.is_array() ? ci[1].get<double>() : y});
    marks_.push_back({Quality, x, y, -1, QStringLiteral("%1: %2 at %3 MiB in %4").arg(shortText(row["precision"])).arg(y, 0, 'g', 4)
                          .arg(x, 0, 'f', 0).arg(text(evaluation::secondsText(seconds)))});
  }
  if (report_["pareto"]["quality"] == quality())
    for (const auto& [x, y] : front) line->addData(x, y);
  fit(Quality, false);
  plots_[Quality]->xAxis->setRangeUpper(plots_[Quality]->xAxis->range().upper + 0.2 * plots_[Quality]->xAxis->range().size());
}

// Beside the points, over neither intervals nor one another.
void EvaluateCharts::placeNamesOfQuality() {
  const QCustomPlot* plot = plots_[Quality];
  const auto pixel = [plot](double x, double y) { return QPointF(plot->xAxis->coordToPixel(x), plot->yAxis->coordToPixel(y)); };
  std::vector<NamedPoint> points;
  std::vector<QRectF> taken;
  for (const Name& name : names_) {
    const QFontMetricsF metrics(name.text->font());
    points.push_back({pixel(name.x, name.y), name.radius, {metrics.horizontalAdvance(name.text->text()) + 2, metrics.height()}});
    taken.push_back(QRectF(pixel(name.x, name.high), pixel(name.x, name.low)).adjusted(-2, 0, 2, 0));
  }
  const std::vector<QRectF> places = placeNames(points, std::move(taken), QRectF(plot->axisRect()->rect()));
  for (std::size_t i = 0; i < places.size(); ++i)
    names_[i].text->position->setCoords(plot->xAxis->pixelToCoord(places[i].left()), plot->yAxis->pixelToCoord(places[i].top()));
}

QColor EvaluateCharts::colorOf(const json& precision) const {
  QColor color = precisionColor(text(precision.get<std::string>()));
  const QColor family = color, ground = theme().panel;
  for (const json& before : report_["precisions"]) {
    if (before == precision) break;
    if (precisionColor(text(before.get<std::string>())) != family) continue;
    const auto paler = [](int a, int b) { return static_cast<int>(a * 0.68 + b * 0.32); };
    color = QColor(paler(color.red(), ground.red()), paler(color.green(), ground.green()), paler(color.blue(), ground.blue()));
  }
  return color;
}

// Which colour is which, for all six.
QString EvaluateCharts::legend() const {
  QString line = QStringLiteral("Bars: 95 % intervals by resampling pictures.");
  for (const json& precision : report_["precisions"])
    line += QStringLiteral(" &nbsp;<span style='color:%1'>■</span>&nbsp;%2").arg(colorOf(precision).name(), shortText(precision).toHtmlEscaped());
  return line;
}

void EvaluateCharts::drawCategories() {
  QStringList categories;
  const auto& names = report_["precisions"];
  for (const json& row : report_["categories"])
    if (row["figure"] == quality() && !categories.contains(text(row["category"]))) categories << text(row["category"]);
  QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
  for (int i = 0; i < categories.size(); ++i)
    ticker->addTick(i + 0.5, categories[i].left(9) + (categories[i].size() > 9 ? QStringLiteral("…") : QString()));
  const double width = 0.8 / static_cast<double>(names.size());
  for (const json& row : report_["categories"]) {
    if (row["figure"] != quality() || !row["value"].is_number()) continue;
    const auto which = std::find(names.begin(), names.end(), row["precision"]) - names.begin();
    const double x = static_cast<double>(categories.indexOf(text(row["category"]))) + 0.1 + width * (static_cast<double>(which) + 0.5);
    auto* bar = new QCPBars(plots_[Categories]->xAxis, plots_[Categories]->yAxis);
    bar->setWidth(width * 0.9), bar->setPen(Qt::NoPen), bar->setBrush(colorOf(row["precision"]));
    bar->addData(x, row["value"].get<double>());
    addInterval(Categories, x, row["ci95"], theme().text);
    marks_.push_back({Categories, x, row["value"], -1, QStringLiteral("%1, %2: %3 (N = %4)").arg(text(row["category"]),
                      shortText(row["precision"])).arg(row["value"].get<double>(), 0, 'g', 4).arg(row["n"].get<int>())});
  }
  fit(Categories, true);
  plots_[Categories]->xAxis->setTicker(ticker);
  if (categories.size() > kLevelNames) plots_[Categories]->xAxis->setTickLabelRotation(-35);
}

// The baseline's value across and the others' upwards; of a score against the baseline: the comparison's number across.
void EvaluateCharts::drawPrompts() {
  const evaluation::FigureInfo* info = evaluation::figureInfo(quality());
  if (!info || report_["comparisons"].empty()) return;
  const bool pair = info->source == evaluation::Source::Pair;
  std::map<std::string, std::vector<Mark>> points;
  double low = INFINITY, high = -INFINITY;
  for (std::size_t c = 0; c < report_["comparisons"].size(); ++c) {
    std::map<std::string, double> values;
    for (const json& sample : report_["comparisons"][c]["samples"])
      if (const auto found = evaluation::figureOf(sample, quality())) values[sample["precision"]] = *found;
    const std::string baseline = report_["precisions"][0];
    const QString where = text(report_["comparisons"][c]["recipe"]["prompt"]);
    for (const auto& [precision, y] : values) {
      if (precision == baseline || (!pair && !values.contains(baseline))) continue;
      const double x = pair ? static_cast<double>(c + 1) : values[baseline];
      low = std::min({low, x, y}), high = std::max({high, x, y});
      points[precision].push_back({Prompts, x, y, static_cast<int>(c),
                                   QStringLiteral("%1, %2: %3").arg(where, ui::shortName(text(precision))).arg(y, 0, 'g', 4)});
    }
  }
  plots_[Prompts]->xAxis->setLabel(pair ? QStringLiteral("comparison") : text(report_["precisions"][0]));
  plots_[Prompts]->yAxis->setLabel(QStringLiteral("the others"));
  if (!pair && low < high) {
    QCPGraph* line = plots_[Prompts]->addGraph();
    line->setPen(QPen(theme().quiet, 1, Qt::DashLine));
    line->addData(low, low), line->addData(high, high);
  }
  for (const auto& [precision, all] : points) {
    QCPGraph* dots = plots_[Prompts]->addGraph();
    dots->setLineStyle(QCPGraph::lsNone);
    dots->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, colorOf(precision), 5));
    for (const Mark& mark : all) {
      dots->addData(mark.x, mark.y);
      marks_.push_back(mark);
    }
  }
  fit(Prompts, false);
}

std::vector<EvaluateCharts::Series> EvaluateCharts::series(const char* rows, const char* place) const {
  std::vector<Series> all;
  for (const json& precision : report_["precisions"]) {
    Series one{precision, {}};
    for (const json& row : report_[rows])
      if (row["precision"] == precision && row["value"].is_number()) {
        one.points.push_back({row[place], row["value"]});
        one.intervals.emplace_back(row[place], row["ci95"]);
      }
    if (!one.points.empty()) all.push_back(std::move(one));
  }
  return all;
}

std::vector<EvaluateCharts::Series> EvaluateCharts::memorySeries() const {
  std::vector<Series> all;
  for (const json& trace : report_["memory_over_time"]) {
    Series one{trace["precision"], {}};
    for (const json& point : trace["points"]) one.points.push_back({point[0], (point[1].get<double>() - trace["floor"].get<double>()) / kMiB});
    all.push_back(std::move(one));
  }
  return all;
}

void EvaluateCharts::drawLines(Plot which, const std::vector<Series>& all, const QString& x, const QString& y) {
  clear(which, x, y);
  if (which != Memory) {                 // there is no half a step
    QSharedPointer<QCPAxisTickerFixed> whole(new QCPAxisTickerFixed);
    whole->setTickStep(1), whole->setScaleStrategy(QCPAxisTickerFixed::ssMultiples), whole->setTickCount(4);
    plots_[which]->xAxis->setTicker(whole);
  }
  for (const Series& one : all) {
    QCPGraph* line = plots_[which]->addGraph();
    line->setPen(QPen(colorOf(one.precision), 1.6));
    for (const auto& [at, height] : one.points) {
      line->addData(at, height);
      marks_.push_back({which, at, height, -1, QStringLiteral("%1: %2").arg(ui::shortName(text(one.precision))).arg(height, 0, 'g', 4)});
    }
    if (one.intervals.size() <= kFewPoints)
      for (const auto& [at, ci] : one.intervals) addInterval(which, at, ci, colorOf(one.precision));
  }
  if (!all.empty()) fit(which, true);
  else if (which == Growth && report_.is_object())
    tellInPlace(which, QStringLiteral("Not measured: tick “Error growth” under Measure\nand start again"));
}

void EvaluateCharts::tellInPlace(Plot which, const QString& line) {
  auto* item = new QCPItemText(plots_[which]);
  item->position->setType(QCPItemPosition::ptAxisRectRatio), item->position->setCoords(0.5, 0.5);
  item->setText(line), item->setColor(theme().quiet), item->setFont(plots_[which]->xAxis->tickLabelFont());
}

const EvaluateCharts::Mark* EvaluateCharts::markAt(QObject* plot, const QPointF& at) const {
  const Mark* nearest = nullptr;
  double distance = kReach;
  for (const Mark& mark : marks_) {
    QCustomPlot* own = plots_[mark.plot];
    if (own != plot) continue;
    const QPointF away = QPointF(own->xAxis->coordToPixel(mark.x), own->yAxis->coordToPixel(mark.y)) - at;
    const double off = std::hypot(away.x(), mark.plot == Categories && at.y() > own->yAxis->coordToPixel(mark.y) ? 0 : away.y());
    if (off < distance) nearest = &mark, distance = off;
  }
  return nearest;
}

bool EvaluateCharts::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::MouseMove || event->type() == QEvent::MouseButtonRelease) {
    auto* mouse = static_cast<QMouseEvent*>(event);
    const Mark* mark = markAt(watched, mouse->position());
    if (event->type() == QEvent::MouseButtonRelease && mark && mark->comparison >= 0) Q_EMIT comparisonChosen(mark->comparison);
    if (event->type() == QEvent::MouseMove && mark) QToolTip::showText(mouse->globalPosition().toPoint(), mark->tip, static_cast<QWidget*>(watched));
    if (event->type() == QEvent::MouseMove && !mark) QToolTip::hideText();
  }
  return QWidget::eventFilter(watched, event);
}

void EvaluateCharts::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange) redraw();
  QWidget::changeEvent(event);
}

}  // namespace quantspot::views
