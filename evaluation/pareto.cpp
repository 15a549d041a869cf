#include "evaluation/pareto.h"

#include "evaluation/figures.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace quantspot::evaluation {
namespace {

bool beats(const ParetoPoint& a, const ParetoPoint& b) {
  const bool asGood = a.quality >= b.quality && a.memory <= b.memory && a.latency <= b.latency;
  return asGood && (a.quality > b.quality || a.memory < b.memory || a.latency < b.latency);
}

std::optional<double> value(const PrecisionSummary& summary, const std::string& figure) {
  const auto found = summary.figures.find(figure);
  return found == summary.figures.end() ? std::nullopt : std::optional(found->second.value);
}

}  // namespace

void markFront(std::vector<ParetoPoint>& points) {
  for (ParetoPoint& point : points) point.front = std::ranges::none_of(points, [&](const ParetoPoint& other) { return beats(other, point); });
}

std::vector<ParetoPoint> paretoOf(const std::vector<PrecisionSummary>& summaries, const std::string& quality) {
  const FigureInfo* info = figureInfo(quality);
  std::vector<ParetoPoint> points;
  for (const PrecisionSummary& summary : summaries) {
    const auto memory = value(summary, "memory"), latency = value(summary, "latency");
    auto score = value(summary, quality);
    if (!score && info && info->source == Source::Pair && &summary == &summaries.front()) score = std::numeric_limits<double>::infinity();
    if (!memory || !latency || !score || !info) continue;
    const bool lower = info->better == Better::Lower && score != std::numeric_limits<double>::infinity();
    points.push_back({summary.precision, lower ? -*score : *score, *memory, *latency, false});
  }
  markFront(points);
  return points;
}

std::string qualityFigure(const std::vector<PrecisionSummary>& summaries) {
  const auto having = [&](std::string_view id) {
    return std::ranges::count_if(summaries, [&](const PrecisionSummary& summary) { return summary.figures.contains(std::string(id)); });
  };
  // A pair has no value of the baseline: one other precision is enough.
  if (having("lpips") >= 1 && !summaries.empty() && summaries.front().drawn < kFewForFid) return "lpips";
  for (const FigureInfo& info : figures())
    if (info.source != Source::Report && having(info.id) >= 2) return std::string(info.id);
  return "";
}

nlohmann::json paretoJson(const std::vector<ParetoPoint>& points, const std::string& quality) {
  nlohmann::json all = nlohmann::json::array();
  for (const ParetoPoint& point : points) all.push_back({{"precision", point.precision}, {"memory", point.memory}, {"latency", point.latency}, {"front", point.front}});
  return {{"quality", quality}, {"points", all}};
}

}  // namespace quantspot::evaluation
