#include "evaluation/scoring.h"

namespace quantspot::evaluation {
namespace {

std::optional<Cell> baselineOf(const Plan& plan, const Cell& cell) {
  return cell.precision == 0 ? std::nullopt : std::optional(plan.cell(cell.prompt, cell.seed, 0));
}

// The tasks of a cell whether they are done or not.
std::vector<ScoreTask> tasksOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<Metric>& metrics) {
  std::vector<ScoreTask> tasks;
  const std::string own = store.pixels(cell.key);
  if (own.empty()) return tasks;
  const std::string& prompt = plan.request().prompts.prompts[cell.prompt].text;
  const auto baseline = baselineOf(plan, cell);
  const std::string reference = baseline ? store.pixels(baseline->key) : "";
  for (const Metric& metric : metrics) {
    if (metric.kind == "prompt") tasks.push_back({metric, scoreKey(metric.id, own, prompt, metric.weights_sha256), cell, {}, prompt});
    else if (metric.kind == "pair" && !reference.empty())
      tasks.push_back({metric, scoreKey(metric.id, own, reference, metric.weights_sha256), cell, baseline, prompt});
  }
  return tasks;
}

}  // namespace

std::vector<ScoreTask> missingScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics) {
  std::vector<ScoreTask> missing;
  for (std::size_t p = 0; p < plan.request().prompts.prompts.size(); ++p)
    for (std::size_t s = 0; s < plan.request().seeds.size(); ++s)
      for (ScoreTask& task : missingScores(plan, store, metrics, p, s)) missing.push_back(std::move(task));
  return missing;
}

std::vector<ScoreTask> missingScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, std::size_t prompt, std::size_t seed) {
  std::vector<ScoreTask> missing;
  for (std::size_t v = 0; v < plan.request().precisions.size(); ++v)
    for (ScoreTask& task : tasksOf(plan, store, plan.cell(prompt, seed, v), metrics))
      if (!store.score(task.key)) missing.push_back(std::move(task));
  return missing;
}

nlohmann::json scoresOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<Metric>& metrics) {
  nlohmann::json scores = nlohmann::json::object();
  for (const ScoreTask& task : tasksOf(plan, store, cell, metrics)) {
    const auto score = store.score(task.key);
    scores[task.metric.id] = score && score->is_object() ? score->value("value", nlohmann::json()) : nlohmann::json();
  }
  return scores;
}

}  // namespace quantspot::evaluation
