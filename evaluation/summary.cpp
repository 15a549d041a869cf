#include "evaluation/summary.h"

#include "evaluation/figures.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

// The sample of this precision in a comparison; null when there is none.
const json& sampleOf(const json& comparison, const std::string& precision) {
  static const json none;
  const auto samples = comparison.find("samples");
  if (samples == comparison.end()) return none;
  for (const json& sample : *samples)
    if (sample.is_object() && sample.value("precision", "") == precision) return sample;
  return none;
}

bool drawn(const json& sample) { return sample.is_object() && sample.contains("report"); }

json scoresOnly(const json& comparison) {
  json samples = json::array();
  for (const json& sample : comparison.at("samples"))
    if (drawn(sample))
      samples.push_back({{"precision", sample["precision"]}, {"scores", sample.value("scores", json::object())}, {"report", json::object()}});
  return {{"samples", std::move(samples)}};
}

struct Values { std::vector<double> all, paired, baseline; };

Values valuesOf(const json& comparisons, const std::string& precision, const std::string& baseline, std::string_view figure) {
  Values values;
  for (const json& comparison : comparisons) {
    const json& sample = sampleOf(comparison, precision);
    if (!drawn(sample)) continue;
    const auto value = figureOf(sample, figure);
    if (!value) continue;
    values.all.push_back(*value);
    const json& reference = sampleOf(comparison, baseline);
    if (!drawn(reference)) continue;
    if (const auto other = figureOf(reference, figure)) {
      values.paired.push_back(*value);
      values.baseline.push_back(*other);
    }
  }
  return values;
}

// The same number in every cell, such as bytes of weights, has no spread to resample.
Estimate mean(const std::vector<double>& values) { return bootstrapMean(values); }

json finite(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

Estimate changeOf(const Estimate& value, const Estimate& baseline) {
  return {value.value / baseline.value - 1, std::min(value.n, baseline.n), std::nullopt};
}

// Seconds that a picture takes, or their change, as pictures in a time: of / value.
std::optional<Estimate> inverse(const Estimate& seconds, double of) {
  if (!(seconds.value > 0)) return std::nullopt;
  Estimate rate{of / seconds.value, seconds.n, std::nullopt};
  if (seconds.ci95 && seconds.ci95->low > 0) rate.ci95 = Interval{of / seconds.ci95->high, of / seconds.ci95->low};
  return rate;
}

Estimate plus(Estimate estimate, double number) {
  estimate.value += number;
  if (estimate.ci95) estimate.ci95->low += number, estimate.ci95->high += number;
  return estimate;
}

// Of all pictures in their time: a mean of rates would count a picture the more, the quicker it came, and contradict the mean time beside it.
void addThroughput(PrecisionSummary& summary) {
  const auto time = summary.figures.find("latency"), change = summary.changes.find("latency");
  if (time != summary.figures.end())
    if (const auto rate = inverse(time->second, 60)) summary.figures["throughput"] = *rate;
  if (change != summary.changes.end())
    if (const auto rate = inverse(plus(change->second, 1), 1)) summary.changes["throughput"] = plus(*rate, -1);
}

void addSets(PrecisionSummary& summary, const SetFigures& sets, const std::string& baseline) {
  const auto mine = sets.find(summary.precision);
  if (mine == sets.end()) return;
  for (const auto& [figure, estimate] : mine->second) {
    summary.figures[figure] = estimate;
    const auto other = sets.find(baseline);
    if (summary.precision == baseline || other == sets.end() || !other->second.contains(figure)) continue;
    if (const Estimate& reference = other->second.at(figure); reference.value != 0) summary.changes[figure] = changeOf(estimate, reference);
  }
}

Estimate estimateOf(const json& from, const char* value, const char* interval, const char* n) {
  Estimate estimate{from.at(value).get<double>(), from.value(n, std::size_t{0}), std::nullopt};
  const json range = from.value(interval, json());
  if (range.is_array() && range.size() == 2 && range[0].is_number() && range[1].is_number()) estimate.ci95 = Interval{range[0], range[1]};
  return estimate;
}

}  // namespace

std::vector<PrecisionSummary> summarize(const json& comparisons, const std::vector<std::string>& precisions, const SetFigures& sets) {
  std::vector<PrecisionSummary> all;
  for (const std::string& precision : precisions) {
    PrecisionSummary summary{precision, 0, 0, 0, {}, {}};
    for (const json& comparison : comparisons) {
      const json& sample = sampleOf(comparison, precision);
      if (drawn(sample)) ++summary.drawn;
      else if (sample.is_object() && sample.contains("error")) ++summary.failed;
      else ++summary.missing;
    }
    for (const FigureInfo& info : figures()) {
      if (info.id == "throughput") continue;
      const Values values = valuesOf(comparisons, precision, precisions.front(), info.id);
      if (!values.all.empty()) summary.figures[std::string(info.id)] = mean(values.all);
      if (precision == precisions.front() || values.paired.empty()) continue;
      const Estimate change = bootstrapPairedChange(values.paired, values.baseline);
      if (std::isfinite(change.value)) summary.changes[std::string(info.id)] = change;
    }
    addThroughput(summary);
    addSets(summary, sets, precisions.front());
    all.push_back(std::move(summary));
  }
  return all;
}

std::vector<CategoryRow> byCategory(const json& comparisons, const std::vector<std::string>& precisions) {
  std::vector<std::pair<std::string, json>> groups;
  for (const json& comparison : comparisons) {
    const std::string category = comparison.value("category", "");
    if (category.empty()) continue;
    auto found = std::ranges::find(groups, category, &std::pair<std::string, json>::first);
    if (found == groups.end()) found = groups.insert(groups.end(), {category, json::array()});
    found->second.push_back(scoresOnly(comparison));
  }
  std::vector<CategoryRow> rows;
  for (const auto& [category, members] : groups)
    for (const std::string& precision : precisions)
      for (const FigureInfo& info : figures()) {
        if (info.source == Source::Report || info.source == Source::Set) continue;
        const Values values = valuesOf(members, precision, precisions.front(), info.id);
        if (!values.all.empty()) rows.push_back({category, precision, std::string(info.id), mean(values.all)});
      }
  return rows;
}

json estimateJson(const Estimate& estimate) {
  json out = {{"value", finite(estimate.value)}, {"n", estimate.n}, {"ci95", nullptr}};
  if (estimate.ci95) out["ci95"] = {finite(estimate.ci95->low), finite(estimate.ci95->high)};
  return out;
}

json summaryJson(const std::vector<PrecisionSummary>& summaries) {
  json all = json::array();
  for (const PrecisionSummary& summary : summaries) {
    json row = {{"precision", summary.precision}, {"baseline", &summary == &summaries.front()}, {"drawn", summary.drawn},
                {"failed", summary.failed}, {"missing", summary.missing}, {"figures", json::object()}, {"changes", json::object()}};
    for (const auto& [id, estimate] : summary.figures) {
      row["figures"][id] = estimateJson(estimate);
      if (const std::string caution = cautionOf(id, estimate.n); !caution.empty()) row["figures"][id]["caution"] = caution;
    }
    for (const auto& [id, estimate] : summary.changes) row["changes"][id] = estimateJson(estimate);
    all.push_back(std::move(row));
  }
  return all;
}

json categoriesJson(const std::vector<CategoryRow>& rows) {
  json all = json::array();
  for (const CategoryRow& row : rows) {
    json entry = {{"category", row.category}, {"precision", row.precision}, {"figure", row.figure}};
    entry.update(estimateJson(row.mean));
    all.push_back(std::move(entry));
  }
  return all;
}

SetFigures ratingsOf(const json& source) try {
  SetFigures sets;
  if (source.is_object() && source.contains("headline")) {
    for (const json& score : source.at(source.at("headline").get<std::string>()).at("rating").at("scores"))
      sets[score.at("variant").get<std::string>()]["rating"] = estimateOf(score, "mos", "interval", "people");
  } else {
    for (const auto& [precision, score] : source.items()) sets[precision]["rating"] = estimateOf(score, "value", "ci95", "n");
  }
  if (sets.empty()) throw std::runtime_error("it holds no rating");
  return sets;
} catch (const json::exception&) {
  throw std::runtime_error("these are no ratings; give a study's analysis with rating trials, or "
                           "{\"bnb-nf4\": {\"value\": 4.2, \"ci95\": [4.0, 4.4], \"n\": 30}}");
}

}  // namespace quantspot::evaluation
