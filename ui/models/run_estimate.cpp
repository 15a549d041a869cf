#include "ui/models/run_estimate.h"

#include "ui/models/precision_list_model.h"

#include <QJsonArray>
#include <QLocale>

#include <algorithm>

namespace quantspot::ui {
namespace {

double pixels(const protocol::Recipe& recipe) { return static_cast<double>(recipe.width) * recipe.height; }

double highestPeak(const QJsonObject& report) {
  const QJsonObject device = report[u"device_peak_bytes"].toObject();
  const QJsonObject peaks = device.isEmpty() ? report[u"peak_bytes"].toObject() : device;
  double highest = 0;
  for (const QJsonValue& peak : peaks) highest = std::max(highest, peak.toDouble());
  return highest;
}

}  // namespace

void RunEstimate::learn(const ComparisonResult& comparison) {
  for (const SampleResult& one : comparison.samples) {
    const QJsonObject seconds = one.sample.report[u"seconds"].toObject();
    const QJsonArray steps = seconds[u"steps"].toArray();
    if (steps.isEmpty()) continue;
    double denoise = 0;
    for (const QJsonValue& step : steps) denoise += step.toDouble();
    const Cost cost{std::max(0.0, seconds[u"total"].toDouble() - denoise),
                    denoise / (static_cast<double>(steps.size()) * pixels(comparison.recipe)), highestPeak(one.sample.report)};
    costs_.insert({comparison.model, one.sample.precision}, cost);
  }
}

RunEstimate::Cost RunEstimate::costOf(const QString& model, const QString& precision, const QStringList& among) const {
  if (const auto known = costs_.constFind({model, precision}); known != costs_.constEnd()) return *known;
  Cost mean;
  int count = 0;
  for (const QString& other : among) {
    const auto known = costs_.constFind({model, other});
    if (known == costs_.constEnd()) continue;
    mean.fixed += known->fixed, mean.per_step_pixel += known->per_step_pixel, mean.peak = std::max(mean.peak, known->peak);
    ++count;
  }
  if (count) mean.fixed /= count, mean.per_step_pixel /= count;
  return mean;
}

std::optional<RunEstimate::Need> RunEstimate::need(const QString& model, study::Task task, const QStringList& precisions,
                                                   const protocol::Recipe& recipe, int tiles) const {
  const bool any = std::any_of(precisions.begin(), precisions.end(), [&](const QString& id) { return costs_.contains({model, id}); });
  if (!any) return {};
  // A second pass per step doubles its time.
  const double passes = recipe.true_cfg > 1 && recipe.negative_prompt ? 2 : 1;
  const auto seconds = [&](const Cost& cost) { return cost.fixed + cost.per_step_pixel * pixels(recipe) * recipe.steps * passes; };
  const QString reference = QString::fromLatin1(study::kReference);
  Need need;
  double quantized = 0;
  for (const QString& id : precisions) {
    const Cost cost = costOf(model, id, precisions);
    need.peak_bytes = std::max(need.peak_bytes, cost.peak);
    if (task != study::Task::SpotOne) need.seconds += seconds(cost);
    else if (id != reference) quantized += seconds(cost);
  }
  if (task == study::Task::SpotOne) {
    const auto others = precisions.size() - (precisions.contains(reference) ? 1 : 0);
    need.seconds = (tiles - 1) * seconds(costOf(model, reference, precisions)) + (others ? quantized / static_cast<double>(others) : 0);
  }
  return need;
}

QString durationText(double seconds) {
  return seconds < 90 ? QStringLiteral("%1\u2009s").arg(QLocale().toString(seconds, 'f', seconds < 10 ? 1 : 0))
                      : QStringLiteral("%1\u2009min").arg(QLocale().toString(seconds / 60, 'f', 1));
}

QString needText(const RunEstimate::Need& need) {
  return QStringLiteral("about %1, peak %2").arg(durationText(need.seconds), memoryText(static_cast<qint64>(need.peak_bytes)));
}

}  // namespace quantspot::ui
