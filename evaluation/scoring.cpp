#include "evaluation/scoring.h"

namespace quantspot::evaluation {
namespace {

// The tasks of a cell whether they are done or not.
std::vector<ScoreTask> tasksOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<Metric>& metrics) {
  std::vector<ScoreTask> tasks;
  const std::string own = store.pixels(cell.key);
  if (own.empty()) return tasks;
  const std::string& prompt = plan.request().prompts.prompts[cell.prompt].text;
  for (const Metric& metric : metrics) {
    if (metric.kind == "prompt") tasks.push_back({metric, scoreKey(metric.id, own, prompt, metric.weights_sha256), cell, {}, prompt});
    else if (cell.precision > 0)
      for (ScoreTask& task : pairTasks(plan, store, cell, plan.cell(cell.prompt, cell.seed, 0), {metric})) tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace

std::vector<ScoreTask> pairTasks(const Plan& plan, const Store& store, const Cell& cell, const Cell& baseline, const std::vector<Metric>& metrics) {
  const std::string own = store.pixels(cell.key), reference = store.pixels(baseline.key);
  std::vector<ScoreTask> tasks;
  if (own.empty() || reference.empty()) return tasks;
  for (const Metric& metric : metrics)
    if (metric.kind == "pair")
      tasks.push_back({metric, scoreKey(metric.id, own, reference, metric.weights_sha256), cell, baseline,
                       plan.request().prompts.prompts[cell.prompt].text});
  return tasks;
}

std::vector<ScoreTask> missingOf(const Store& store, std::vector<ScoreTask> tasks) {
  std::erase_if(tasks, [&](const ScoreTask& task) { return store.score(task.key).has_value(); });
  return tasks;
}

nlohmann::json valuesOf(const Store& store, const std::vector<ScoreTask>& tasks) {
  nlohmann::json values = nlohmann::json::object();
  for (const ScoreTask& task : tasks) {
    const auto score = store.score(task.key);
    values[task.metric.id] = score && score->is_object() ? score->value("value", nlohmann::json()) : nlohmann::json();
  }
  return values;
}

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
    for (ScoreTask& task : missingOf(store, tasksOf(plan, store, plan.cell(prompt, seed, v), metrics))) missing.push_back(std::move(task));
  return missing;
}

nlohmann::json scoresOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<Metric>& metrics) {
  return valuesOf(store, tasksOf(plan, store, cell, metrics));
}

}  // namespace quantspot::evaluation
