#include "evaluation/noise_floor.h"

#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

// None where the two have the same pixels.
std::vector<ScoreTask> tasksOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics) {
  const Cell first = plan.cells().front(), again = plan.repeat();
  return store.pixels(first.key) == store.pixels(again.key) ? std::vector<ScoreTask>() : pairTasks(plan, store, again, first, metrics);
}

}  // namespace

bool wantsRepeat(const Plan& plan, Store& store, const std::string& run) {
  const Cell first = plan.cells().front(), again = plan.repeat();
  return store.finished(first.key) && !store.failure(first.key, run) && !store.finished(again.key) && !store.failure(again.key, run);
}

std::vector<ScoreTask> missingRepeatScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics) {
  return missingOf(store, tasksOf(plan, store, metrics));
}

json noiseFloorOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, const std::string& run) {
  const Cell first = plan.cells().front(), again = plan.repeat();
  json floor = {{"precision", plan.request().precisions[0]}, {"prompt", plan.request().prompts.prompts[0].text}, {"seed", plan.request().seeds[0]}};
  if (const auto why = store.failure(again.key, run)) return floor["error"] = *why, floor;
  const std::string before = store.pixels(first.key), after = store.pixels(again.key);
  if (before.empty() || after.empty()) return {};
  floor["key"] = again.key, floor["same"] = before == after, floor["scores"] = valuesOf(store, tasksOf(plan, store, metrics));
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
