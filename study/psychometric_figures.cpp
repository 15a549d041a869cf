// Right answers against bits per weight: the figures, where they stand in a chart, and in words.
#include "study/analysis.h"
#include "study/rounding.h"
#include "study/statistics/psychometric.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace quantspot::study {
namespace {

using namespace statistics;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

QJsonValue json(double value) { return std::isfinite(value) ? QJsonValue(value) : QJsonValue(); }
QJsonArray json(const Interval& interval) { return {json(interval.low), json(interval.high)}; }
QJsonObject json(const Estimate& estimate) {
  return {{"value", json(estimate.value)}, {"standard_error", json(estimate.standard_error)}, {"interval", json(estimate.interval)}};
}

QString number(const QJsonValue& value) { return rounded(value.toDouble(), 2); }

QString rangeOf(const QJsonValue& low, const QJsonValue& high) {
  if (low.isDouble() && high.isDouble()) return QStringLiteral("%1 to %2").arg(number(low), number(high));
  if (low.isDouble()) return QStringLiteral("at least %1").arg(number(low));
  return high.isDouble() ? QStringLiteral("at most %1").arg(number(high)) : QStringLiteral("open");
}

// Which way a curve goes is known where its interval does not hold 0.
QString slopeRange(const QJsonValue& low, const QJsonValue& high) {
  const bool falls = !low.isDouble() && high.isDouble() && high.toDouble() < 0, rises = low.isDouble() && !high.isDouble() && low.toDouble() > 0;
  return falls || rises ? QStringLiteral("%1 or steeper").arg(number(falls ? high : low)) : rangeOf(low, high);
}

}  // namespace

QJsonValue psychometricFigures(const Protocol& protocol, const QJsonArray& detection) {
  // By kind and slots, because the guess rate is one number.
  std::map<std::pair<QString, int>, std::vector<Level>> curves;
  std::map<std::pair<QString, int>, double> chances;
  std::map<std::pair<QString, int>, QJsonArray> points;
  for (const QJsonValue& entry : detection) {
    const QString variant = entry["variant"].toString();
    if (!protocol.bits.contains(variant)) continue;
    const std::pair key(entry["kind"].toString(), entry["slots"].toInt());
    curves[key].push_back({protocol.bits[variant], entry["correct"].toInt(), entry["trials"].toInt()});
    chances[key] = entry["chance"].toDouble();
    points[key] << QJsonObject{{"variant", variant}, {"bits", protocol.bits[variant]}, {"rate", entry["rate"]}, {"interval", entry["rate_interval"]},
        {"trials", entry["trials"]}};
  }
  QJsonArray list;
  for (const auto& [key, levels] : curves) {
    std::set<double> different;
    for (const Level& level : levels) different.insert(level.x);
    if (different.size() < 2) continue;
    const Psychometric fit = fitPsychometric(levels, {.guess = chances[key], .lapse = 0, .level = protocol.analysis.level});
    list << QJsonObject{{"kind", key.first}, {"slots", key.second}, {"guess", chances[key]}, {"separated", fit.separated}, {"flat", fit.flat},
        {"points", points[key]}, {"slope", json(fit.slope)}, {"threshold_bits", json(fit.threshold)},
        {"jnd_bits", fit.separated ? QJsonValue() : json(fit.jnd)}, {"jnd_interval", json(fit.jnd_interval)}};
  }
  return list.isEmpty() ? QJsonValue() : QJsonValue(list);
}

std::optional<CurveMarks> psychometricMarks(const QJsonObject& curve) {
  const QJsonObject threshold = curve["threshold_bits"].toObject();
  const QJsonArray interval = threshold["interval"].toArray();
  const bool known = threshold["value"].isDouble();
  if (!known && !interval[0].isDouble() && !interval[1].isDouble()) return {};
  const double guess = curve["guess"].toDouble(), middle = threshold["value"].toDouble(std::numeric_limits<double>::quiet_NaN());
  CurveMarks marks{{guess + (1 - guess) / 2, middle, middle, interval[0].toDouble(-kInfinity), interval[1].toDouble(kInfinity)}, {}};
  if (!known) return marks;                                             // a step: nowhere for the difference to begin
  const double towards = curve["slope"]["value"].toDouble() < 0 ? -1 : 1;   // where more is seen
  const auto at = [&](const QJsonValue& distance) { return middle + towards * distance.toDouble(kInfinity); };
  const double near = at(curve["jnd_interval"][0]), far = at(curve["jnd_interval"][1]);
  marks.jnd = CurveMark{guess + (1 - guess) * 3 / 4, middle, at(curve["jnd_bits"]), std::min(near, far), std::max(near, far)};
  return marks;
}

std::optional<double> psychometricAt(const QJsonObject& curve, double bits) {
  if (!curve["threshold_bits"]["value"].isDouble()) return {};
  Psychometric fit;
  fit.threshold.value = curve["threshold_bits"]["value"].toDouble();
  fit.slope.value = curve["slope"]["value"].toDouble();
  return psychometricRate(fit, {.guess = curve["guess"].toDouble()}, bits);
}

CurveWords psychometricWords(const QJsonObject& curve) {
  const QJsonObject slope = curve["slope"].toObject(), threshold = curve["threshold_bits"].toObject();
  const QJsonValue low = curve["jnd_interval"][0], high = curve["jnd_interval"][1];
  const auto said = [](const QJsonValue& value) { return value.isDouble() ? number(value) : QStringLiteral("–"); };
  CurveWords words{said(slope["value"]), slopeRange(slope["interval"][0], slope["interval"][1]), said(threshold["value"]),
      rangeOf(threshold["interval"][0], threshold["interval"][1]), said(curve["jnd_bits"]), rangeOf(low, high)};
  if (curve["separated"].toBool()) words.slope = QStringLiteral("a step");
  if (curve["flat"].toBool()) words.slope = QStringLiteral("flat");
  if (low.toDouble() == 0) words.jnd_range = high.isDouble() ? QStringLiteral("at most %1").arg(number(high)) : QStringLiteral("open");
  return words;
}

QString withOpenEnd(const QString& name, const QString& range) {
  return range.contains(QStringLiteral(" to ")) ? name : QStringLiteral("%1: %2").arg(name, range);
}

}  // namespace quantspot::study
