#include "study/analysis.h"
#include "study/report.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantspot::study {
namespace {

constexpr double kWidth = 495, kLabels = 150, kRow = 15, kTop = 8, kFoot = 30;   // points
constexpr int kMostRows = 60, kLongest = 30;

struct Row {
  QString label;
  double value = 0, low = 0, high = 0;
  bool second = false;
};

double upper(const QJsonValue& value) { return value.isDouble() ? value.toDouble() : std::numeric_limits<double>::infinity(); }

Row rowOf(const QString& label, const QJsonValue& value, const QJsonValue& interval, double factor = 1, bool second = false) {
  return {label.size() > kLongest ? label.left(kLongest - 1) + u'…' : label, upper(value) * factor, interval[0].toDouble() * factor,
      upper(interval[1]) * factor, second};
}

// A step of 1, 2 or 5 times a power of ten that gives about five ticks.
double stepOf(double span) {
  const double raw = span / 5, power = std::pow(10, std::floor(std::log10(raw)));
  return raw / power < 1.5 ? power : raw / power < 3.5 ? 2 * power : raw / power < 7.5 ? 5 * power : 10 * power;
}

// Linear from values to points.
struct Scale {
  double from = 0, to = 1, left = 0, right = 1;
  double operator()(double v) const { return left + (std::clamp(v, from, to) - from) / (to - from) * (right - left); }
};

void ticks(Drawing& d, const Scale& scale, double top, double bottom, const QString& unit) {
  const double step = stepOf(scale.to - scale.from);
  for (double v = std::ceil(scale.from / step) * step; v <= scale.to + step * 1e-9; v += step) {
    d.stroke(scale(v), top, scale(v), bottom, Ink::Line, 0.5);
    d.word(scale(v), bottom + 10, QString::number(std::abs(v) < step * 1e-6 ? 0 : v, 'g', 4), 0.5, Ink::Quiet);
  }
  d.word((scale.left + scale.right) / 2, bottom + 22, unit, 0.5, Ink::Quiet);
}

Drawing forest(const std::vector<Row>& all, const std::vector<double>& lines, const QString& unit) {
  const std::vector<Row> rows(all.begin(), all.begin() + static_cast<long>(std::min<std::size_t>(all.size(), kMostRows)));
  Drawing d{.width = kWidth, .height = kTop + kRow * static_cast<double>(rows.size()) + kFoot, .marks = {}};
  double low = INFINITY, high = -INFINITY;
  const auto take = [&](double v) {
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  };
  for (const Row& row : rows) take(row.value), take(row.low), take(row.high);
  for (double line : lines) take(line);
  if (!(low < high)) low = std::isfinite(low) ? low - 1 : 0, high = low + 2;
  const double room = (high - low) * 0.05, bottom = kTop + kRow * static_cast<double>(rows.size());
  const Scale x{low - room, high + room, kLabels, kWidth - 6};
  ticks(d, x, kTop, bottom, unit);
  for (std::size_t i = 0; i < lines.size(); ++i) d.stroke(x(lines[i]), kTop, x(lines[i]), bottom, Ink::Quiet, 0.8, i > 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const double y = kTop + kRow * (static_cast<double>(i) + 0.5);
    const Ink ink = row.second ? Ink::Second : Ink::Accent;
    d.word(kLabels - 6, y + 3, row.label, 1, row.second ? Ink::Quiet : Ink::Text);
    d.stroke(x(row.low), y, x(row.high), y, ink, 1.2, row.second);
    for (double end : {row.low, row.high})
      if (std::isfinite(end)) d.stroke(x(end), y - 3, x(end), y + 3, ink, 1.2);
    d.dot(x(row.value), y, 3, ink, row.second);
  }
  return d;
}

Drawing psychometricDrawing(const QJsonObject& curve) {
  constexpr double kHeight = 200, kLeft = 40, kBottom = kHeight - kFoot;
  Drawing d{.width = kWidth, .height = kHeight, .marks = {}};
  double low = INFINITY, high = -INFINITY;
  for (const QJsonValue& p : curve["points"].toArray()) low = std::min(low, p["bits"].toDouble()), high = std::max(high, p["bits"].toDouble());
  const double room = std::max(0.4, (high - low) * 0.15);
  const Scale x{low - room, high + 2 * room, kLeft, kWidth - 6}, y{0, 100, kBottom, kTop};
  ticks(d, x, kTop, kBottom, QStringLiteral("bits per weight (%1)").arg(curve["kind"].toString()));
  for (int share = 0; share <= 100; share += 25) {
    d.stroke(kLeft, y(share), kWidth - 6, y(share), Ink::Line, 0.5);
    d.word(kLeft - 4, y(share) + 3, QStringLiteral("%1 %").arg(share), 1, Ink::Quiet);
  }
  const double chance = curve["guess"].toDouble() * 100;
  d.stroke(kLeft, y(chance), kWidth - 6, y(chance), Ink::Quiet, 0.8, true);
  constexpr int kSteps = 60;
  for (int i = 0; i < kSteps; ++i) {
    const auto bits = [&](int k) { return x.from + (x.to - x.from) * k / kSteps; };
    const auto a = psychometricAt(curve, bits(i)), b = psychometricAt(curve, bits(i + 1));
    if (a && b) d.stroke(x(bits(i)), y(*a * 100), x(bits(i + 1)), y(*b * 100), Ink::Text, 1);
  }
  const auto range = [&](double from, double to, double level, Ink ink) {   // caps where an end is inside, arrows where it goes on beyond the chart
    d.stroke(x(from), level, x(to), level, ink, 2.4);
    for (const double end : {from, to}) {
      if (end > x.from && end < x.to) d.stroke(x(end), level - 4, x(end), level + 4, ink, 1.2);
      else for (const double side : {-4.0, 4.0}) d.stroke(x(end), level, x(end) + (end > x.from ? -5 : 5), level + side, ink, 1.6);
    }
  };
  const auto name = [&](double end, double level, const QString& words) {    // behind the end of the range, or over it where that leaves the chart
    const bool outside = x(end) > x.left + (x.right - x.left) * 0.8;
    d.word(outside ? x(x.to) : x(end) + 6, outside ? level - 5 : level + 3, words, outside ? 1 : 0, Ink::Quiet);
  };
  if (const auto marks = psychometricMarks(curve)) {
    const double half = y(marks->threshold.share * 100);
    const CurveWords said = psychometricWords(curve);
    const auto point = [&](double at, double level) {
      if (at > x.from && at < x.to) d.dot(x(at), level, 3, Ink::Second, true);
    };
    range(marks->threshold.low, marks->threshold.high, half, Ink::Second);
    point(marks->threshold.to, half);
    name(marks->threshold.high, half, withOpenEnd(QStringLiteral("half-way"), said.threshold_range));
    if (marks->jnd) {
      const double quarter = y(marks->jnd->share * 100);
      range(marks->jnd->low, marks->jnd->high, quarter, Ink::Second);
      d.stroke(x(marks->jnd->from), quarter, x(marks->jnd->to), quarter, Ink::Second, 0.8, true);
      d.stroke(x(marks->jnd->from), half, x(marks->jnd->from), quarter, Ink::Second, 0.8, true);
      point(marks->jnd->to, quarter);
      name(std::max(marks->jnd->high, marks->jnd->from), quarter, withOpenEnd(QStringLiteral("just noticeable"), said.jnd_range));
    }
  }
  for (const QJsonValue& p : curve["points"].toArray()) {
    const double at = x(p["bits"].toDouble());
    d.stroke(at, y(p["interval"][0].toDouble() * 100), at, y(p["interval"][1].toDouble() * 100), Ink::Accent, 1.2);
    d.dot(at, y(p["rate"].toDouble() * 100), 3, Ink::Accent);
    d.word(at + 6, y(p["rate"].toDouble() * 100) - 4, p["variant"].toString().left(kLongest));
  }
  return d;
}

std::vector<Row> detectionRows(const QJsonObject& part, bool dprime) {
  std::vector<Row> rows;
  for (const QJsonValue& f : part["detection"].toArray()) {
    const QString name = QStringLiteral("%1, %2").arg(f["variant"].toString(), f["kind"].toString());
    if (!dprime) {
      rows.push_back(rowOf(name, f["detection"], f["detection_interval"], 100));
      if (f["mixed"].toObject().contains(QStringLiteral("detection")))
        rows.push_back(rowOf(QStringLiteral("average person"), f["mixed"]["detection"], f["mixed"]["detection_interval"], 100, true));
      continue;
    }
    const QJsonObject models = f["dprime"].toObject();
    for (const QString& model : models.keys())
      if (models[model].isObject()) {
        const bool second = model == QLatin1String("independent");
        rows.push_back(rowOf(second ? QStringLiteral("judged one by one") : name, models[model]["value"], models[model]["interval"], 1, second));
      }
  }
  return rows;
}

std::vector<Row> namedRows(const QJsonArray& list, const char* value, double factor = 1) {
  std::vector<Row> rows;
  for (const QJsonValue& entry : list) rows.push_back(rowOf(entry["variant"].toString(), entry[QLatin1String(value)], entry["interval"], factor));
  return rows;
}

std::vector<Row> timeRows(const QJsonArray& list) {
  std::vector<Row> rows;
  for (const QJsonValue& entry : list) {
    const QJsonArray q = entry["quantiles_ms"].toArray();
    const bool all = entry["variant"].toString() == QLatin1String("all");
    const QString label = all ? entry["kind"].toString() + QStringLiteral(", all")
                              : entry["variant"].toString() + QStringLiteral(", ") + entry["answers"].toString();
    rows.push_back(rowOf(label, q[2], QJsonArray{q[1], q[3]}, 1e-3, entry["answers"].toString() == QLatin1String("wrong")));
  }
  return rows;
}

}  // namespace

std::vector<ReportChart> reportCharts(const QJsonObject& part, double margin, const QString& reference) {
  std::vector<ReportChart> charts;
  const auto add = [&](const char* title, const char* method, const std::vector<Row>& rows, const std::vector<double>& lines, const QString& unit) {
    if (!rows.empty()) charts.push_back({QString::fromUtf8(title), QLatin1String(method), forest(rows, lines, unit)});
  };
  const QString odds = QStringLiteral("ability, log odds against ") + reference;
  add("Different: how often it is seen", "detection", detectionRows(part, false), {0, margin * 100},
      QStringLiteral("share of differences seen, corrected for guessing, %"));
  add("d′: how far apart the two look", "dprime", detectionRows(part, true), {0}, QStringLiteral("d′"));
  add("Better or worse than the reference", "preference", namedRows(part["preference"]["abilities"].toArray(), "value"), {0}, odds);
  for (const QJsonValue& curve : part["psychometric"].toArray())
    charts.push_back({QStringLiteral("Right answers against bits per weight"), QStringLiteral("psychometric"),
                      psychometricDrawing(curve.toObject())});
  add("Opinion scores", "rating", namedRows(part["rating"]["scores"].toArray(), "mos"), {}, QStringLiteral("opinion, 1 to 5"));
  add("Rankings", "ranking", namedRows(part["ranking"]["abilities"].toArray(), "value"), {0}, odds);
  if (part["visibility"].toArray().size() > 1)
    add("Variants by how visible they are", "visibility", namedRows(part["visibility"].toArray(), "detection", 100), {0},
        QStringLiteral("detection over all kinds, %"));
  add("Response times: medians and quartiles", "response_times", timeRows(part["response_times"].toArray()), {}, QStringLiteral("seconds"));
  return charts;
}

}  // namespace quantspot::study
