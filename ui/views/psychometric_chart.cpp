#include "ui/views/psychometric_chart.h"

#include "study/analysis.h"
#include "ui/models/precision_names.h"
#include "ui/views/name_places.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QComboBox>

#include <algorithm>
#include <cmath>

namespace quantspot::views {
namespace {

constexpr int kSteps = 120, kHeight = 250;

QString noteOf(const QJsonObject& curve) {
  const QString kind = curve["kind"].toString();
  const study::CurveWords words = study::psychometricWords(curve);
  const auto in = [](const QString& range, const QString& unit) { return range == QLatin1String("open") ? range : range + unit; };
  const QString bits = PsychometricChart::tr(" bits"), per_bit = PsychometricChart::tr(" per bit");
  if (curve["separated"].toBool() || curve["flat"].toBool())
    return PsychometricChart::tr("%1: %2; half-way %3, just noticeable difference %4, slope %5")
        .arg(kind, words.slope, in(words.threshold_range, bits), in(words.jnd_range, bits), in(words.slope_range, per_bit));
  return PsychometricChart::tr("%1: half-way at %2 bits (%3), a just noticeable difference of %4 bits (%5), slope %6 per bit (%7)")
      .arg(kind, words.threshold, words.threshold_range, words.jnd, words.jnd_range, words.slope, words.slope_range);
}

}  // namespace

PsychometricChart::PsychometricChart(const QString& title, QWidget* parent) : PlotCard(title, parent), choice_(new QComboBox) {
  choice_->setFixedHeight(28), choice_->setAccessibleName(tr("Kind of trial"));
  addToTitle(choice_);
  plot()->setFixedHeight(kHeight);
  connect(choice_, &QComboBox::currentIndexChanged, this, &PsychometricChart::redraw);
  connect(plot(), &QCustomPlot::afterLayout, this, &PsychometricChart::placeNames);
}

void PsychometricChart::setCurves(const QJsonArray& curves) {
  const QSignalBlocker quiet(choice_);
  const int before = choice_->currentIndex();
  curves_ = curves;
  choice_->clear();
  for (const QJsonValue& curve : curves) choice_->addItem(curve["kind"].toString());
  choice_->setCurrentIndex(before >= 0 && before < choice_->count() ? before : 0);
  choice_->setVisible(curves.size() > 1);
  redraw();
}

const QJsonObject PsychometricChart::curve() const { return curves_.at(choice_->currentIndex()).toObject(); }

void PsychometricChart::draw() {
  const QJsonObject shown = curve();
  double low = INFINITY, high = -INFINITY;
  for (const QJsonValue& point : shown["points"].toArray())
    low = std::min(low, point["bits"].toDouble()), high = std::max(high, point["bits"].toDouble());
  const double room = std::max(0.4, (high - low) * 0.15), guess = shown["guess"].toDouble() * 100;
  setNote(noteOf(shown) + tr("; dashed: chance"));
  plot()->xAxis->setRange(low - room, high + 2 * room), plot()->yAxis->setRange(-2, 108);
  plot()->xAxis->setLabel(tr("bits per weight")), plot()->yAxis->setLabel(tr("right answers, %"));
  plot()->yAxis->grid()->setVisible(true), plot()->xAxis->grid()->setVisible(true);
  auto* chance = new QCPItemStraightLine(plot());
  chance->point1->setCoords(0, guess), chance->point2->setCoords(1, guess);
  chance->setPen(QPen(theme().quiet, 1, Qt::DashLine));
  drawFit(low - room, high + 2 * room);
  drawMarks(low - room, high + 2 * room);
  drawPoints();
}

void PsychometricChart::drawFit(double from, double to) {
  const QJsonObject shown = curve();
  if (!study::psychometricAt(shown, from)) return;
  QCPGraph* line = plot()->addGraph();
  line->setPen(QPen(theme().text, 1.4));
  for (int i = 0; i <= kSteps; ++i) {
    const double bits = from + (to - from) * i / kSteps;
    line->addData(bits, *study::psychometricAt(shown, bits) * 100);
  }
}

// A range lies level, with caps where its ends are on the chart and arrows where it goes on beyond; the dot is its figure.
void PsychometricChart::drawMarks(double from, double to) {
  const auto marks = study::psychometricMarks(curve());
  if (!marks) return;
  const auto stroke = [&](double x, double y, double x2, double y2, const QPen& pen) {
    auto* line = new QCPItemLine(plot());
    line->start->setCoords(std::clamp(x, from, to), y * 100), line->end->setCoords(std::clamp(x2, from, to), y2 * 100);
    line->setPen(pen);
    return line;
  };
  const QPen thick(theme().quiet, 2.6, Qt::SolidLine, Qt::FlatCap), thin(theme().quiet, 1, Qt::DashLine);
  const auto mark = [&](const study::CurveMark& m, const QString& name) {
    QCPItemLine* range = stroke(m.low, m.share, m.high, m.share, thick);
    if (m.low <= from) range->setTail(QCPLineEnding::esSpikeArrow);
    if (m.high >= to) range->setHead(QCPLineEnding::esSpikeArrow);
    for (double end : {m.low, m.high})
      if (end > from && end < to) stroke(end, m.share - 0.02, end, m.share + 0.02, QPen(theme().quiet, 1.4));
    QCPGraph* dot = plot()->addGraph();
    dot->setLineStyle(QCPGraph::lsNone);
    dot->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDiamond, QPen(theme().quiet, 1.6), theme().panel, 9));
    dot->setName(name);
    if (m.to >= from && m.to <= to) dot->addData(m.to, m.share * 100);
    const double end = std::max(m.high, std::isfinite(m.from) ? m.from : m.high);
    taken_.push_back({std::clamp(m.low, from, to), m.share * 100, std::clamp(end, from, to), m.share * 100});
    addName(name, {std::clamp(end, from, to), m.share * 100}, 2, theme().quiet);
  };
  const study::CurveWords words = study::psychometricWords(curve());
  if (marks->jnd) {
    stroke(marks->jnd->from, marks->threshold.share, marks->jnd->from, marks->jnd->share, thin);
    stroke(marks->jnd->from, marks->jnd->share, marks->jnd->to, marks->jnd->share, thin);
  }
  mark(marks->threshold, study::withOpenEnd(tr("half-way"), words.threshold_range));
  if (marks->jnd) mark(*marks->jnd, study::withOpenEnd(tr("just noticeable"), words.jnd_range));
}

void PsychometricChart::drawPoints() {
  for (const QJsonValue& point : curve()["points"].toArray()) {
    const QColor color = precisionColor(point["variant"].toString());
    QCPGraph* dot = plot()->addGraph();
    dot->setLineStyle(QCPGraph::lsNone);
    dot->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(theme().panel, 1.5), color, 9));
    const double rate = point["rate"].toDouble() * 100;
    dot->addData(point["bits"].toDouble(), rate);
    auto* bars = new QCPErrorBars(plot()->xAxis, plot()->yAxis);
    bars->setErrorType(QCPErrorBars::etValueError), bars->setDataPlottable(dot), bars->setPen(QPen(color, 1.6)), bars->setSymbolGap(0);
    bars->addData(rate - point["interval"][0].toDouble() * 100, point["interval"][1].toDouble() * 100 - rate);
    const double bits = point["bits"].toDouble();
    taken_.push_back({bits, point["interval"][0].toDouble() * 100, bits, point["interval"][1].toDouble() * 100});
    addName(ui::shortName(point["variant"].toString()), {bits, rate}, 5, theme().text);
  }
}

void PsychometricChart::addName(const QString& what, QPointF at, double radius, const QColor& color) {
  auto* label = new QCPItemText(plot());
  label->setText(what), label->setColor(color), label->setFont(plot()->xAxis->tickLabelFont());
  label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop), label->setPadding({});
  label->position->setCoords(at);
  names_.push_back({label, at, radius});
}

void PsychometricChart::placeNames() {
  const auto pixel = [this](QPointF at) { return QPointF(plot()->xAxis->coordToPixel(at.x()), plot()->yAxis->coordToPixel(at.y())); };
  std::vector<QRectF> taken;
  for (const QLineF& line : taken_) taken.push_back(QRectF(pixel(line.p1()), pixel(line.p2())).normalized().adjusted(-2, -2, 2, 2));
  const QFontMetricsF metrics(plot()->xAxis->tickLabelFont());
  std::vector<NamedPoint> named;
  for (const Name& name : names_)
    named.push_back({pixel(name.at), name.radius, {metrics.horizontalAdvance(name.text->text()) + 2, metrics.height()}});
  const std::vector<QRectF> places = views::placeNames(named, std::move(taken), QRectF(plot()->axisRect()->rect()));
  for (std::size_t i = 0; i < names_.size(); ++i)
    names_[i].text->position->setCoords(plot()->xAxis->pixelToCoord(places[i].left()), plot()->yAxis->pixelToCoord(places[i].top()));
}

QString PsychometricChart::tipAt(QPointF position) const {
  const QJsonObject shown = curve();
  for (const QJsonValue& point : shown["points"].toArray()) {
    const QPointF at(plot()->xAxis->coordToPixel(point["bits"].toDouble()), plot()->yAxis->coordToPixel(point["rate"].toDouble() * 100));
    if ((at - position).manhattanLength() > 14) continue;
    return tr("%1 (%2 bits), %3: %4 % right, %5–%6 %, %7 trials").arg(point["variant"].toString()).arg(point["bits"].toDouble())
        .arg(shown["kind"].toString()).arg(point["rate"].toDouble() * 100, 0, 'f', 1).arg(point["interval"][0].toDouble() * 100, 0, 'f', 1)
        .arg(point["interval"][1].toDouble() * 100, 0, 'f', 1).arg(point["trials"].toInt());
  }
  return {};
}

}  // namespace quantspot::views
