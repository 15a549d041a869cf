#include "evaluation/noise_floor.h"

#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

std::vector<ScoreTask> tasksOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics) {
  const Cell first = plan.cells().front(), again = plan.repeat();
  const std::string before = store.pixels(first.key), after = store.pixels(again.key);
  std::vector<ScoreTask> tasks;
  if (before.empty() || after.empty() || before == after) return tasks;
  for (const Metric& metric : metrics)
    if (metric.kind == "pair")
      tasks.push_back({metric, scoreKey(metric.id, after, before, metric.weights_sha256), again, first, plan.request().prompts.prompts[0].text});
  return tasks;
}

}  // namespace

bool wantsRepeat(const Plan& plan, Store& store, const std::string& run) {
  const Cell first = plan.cells().front(), again = plan.repeat();
  return store.finished(first.key) && !store.failure(first.key, run) && !store.finished(again.key) && !store.failure(again.key, run);
}

std::vector<ScoreTask> missingRepeatScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics) {
  std::vector<ScoreTask> missing = tasksOf(plan, store, metrics);
  std::erase_if(missing, [&](const ScoreTask& task) { return store.score(task.key).has_value(); });
  return missing;
}

json noiseFloorOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, const std::string& run) {
  const Cell first = plan.cells().front(), again = plan.repeat();
  json floor = {{"precision", plan.request().precisions[0]}, {"prompt", plan.request().prompts.prompts[0].text}, {"seed", plan.request().seeds[0]}};
  if (const auto why = store.failure(again.key, run)) return floor["error"] = *why, floor;
  const std::string before = store.pixels(first.key), after = store.pixels(again.key);
  if (before.empty() || after.empty()) return {};
  floor["key"] = again.key, floor["same"] = before == after, floor["scores"] = json::object();
  for (const ScoreTask& task : tasksOf(plan, store, metrics)) {
    const auto score = store.score(task.key);
    floor["scores"][task.metric.id] = score && score->is_object() ? score->value("value", json()) : json();
  }
  return floor;
}

std::string noiseFloorText(const json& report) {
  const json floor = report.value("noise_floor", json());
  if (!floor.is_object()) return {};
  const std::string head = "Noise floor: the first " + floor["precision"].get<std::string>() + " picture, drawn again, ";
  if (floor.contains("error")) return head + "could not be made: " + floor["error"].get<std::string>() + ".";
  if (floor["same"].get<bool>()) return head + "has the same pixels.";
  std::string figures;
  for (const auto& [id, value] : floor["scores"].items()) {
    const FigureInfo* info = figureInfo(id);
    if (!info || !value.is_number()) continue;
    figures += fmt::format("{}{} {}", figures.empty() ? "" : ", ", info->label, figureText(*info, value.get<double>()));
  }
  return head + (figures.empty() ? "has other pixels." : "lies apart from itself: " + figures + ".");
}

}  // namespace quantspot::evaluation
