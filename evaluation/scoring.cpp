#include "evaluation/scoring.h"

#include "evaluation/figures.h"

#include <algorithm>
#include <map>

namespace quantspot::evaluation {
namespace {

// Of a picture's pixels; empty when it is not finished.
std::string pixelsOf(const Store& store, const Cell& cell) {
  const auto report = store.report(cell.key);
  return report ? report->value("image_sha256", cell.key) : "";
}

std::optional<Cell> baselineOf(const Plan& plan, const Cell& cell) {
  return cell.precision == 0 ? std::nullopt : std::optional(plan.cell(cell.prompt, cell.seed, 0));
}

// The tasks of a cell whether they are done or not. `pixels`: hashes that were read already.
std::vector<ScoreTask> tasksOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<std::string>& metrics, const std::string& by,
                               std::map<std::string, std::string>& pixels) {
  const auto hash = [&](const Cell& of) {
    const auto [found, isNew] = pixels.try_emplace(of.key);
    if (isNew) found->second = pixelsOf(store, of);
    return found->second;
  };
  std::vector<ScoreTask> tasks;
  if (hash(cell).empty()) return tasks;
  const std::string& prompt = plan.request().prompts.prompts[cell.prompt].text;
  for (const std::string& metric : metrics) {
    const FigureInfo* info = figureInfo(metric);
    if (info && info->source == Source::Prompt) {
      tasks.push_back({metric, scoreKey(metric, hash(cell), prompt, by), cell, {}, prompt});
    } else if (info && info->source == Source::Pair) {
      const auto baseline = baselineOf(plan, cell);
      if (baseline && !hash(*baseline).empty()) tasks.push_back({metric, scoreKey(metric, hash(cell), hash(*baseline), by), cell, baseline, prompt});
    }
  }
  return tasks;
}

}  // namespace

std::vector<std::string> cellMetrics(const std::vector<std::string>& offered) {
  std::vector<std::string> found;
  for (const FigureInfo& info : figures())
    if ((info.source == Source::Prompt || info.source == Source::Pair) && std::ranges::find(offered, info.id) != offered.end()) found.emplace_back(info.id);
  return found;
}

std::vector<ScoreTask> missingScores(const Plan& plan, Store& store, const std::vector<std::string>& metrics, const std::string& by) {
  std::vector<ScoreTask> missing;
  for (std::size_t p = 0; p < plan.request().prompts.prompts.size(); ++p)
    for (std::size_t s = 0; s < plan.request().seeds.size(); ++s)
      for (ScoreTask& task : missingScores(plan, store, metrics, by, p, s)) missing.push_back(std::move(task));
  return missing;
}

std::vector<ScoreTask> missingScores(const Plan& plan, Store& store, const std::vector<std::string>& metrics, const std::string& by, std::size_t prompt, std::size_t seed) {
  std::vector<ScoreTask> missing;
  std::map<std::string, std::string> pixels;
  for (std::size_t v = 0; v < plan.request().precisions.size(); ++v)
    for (ScoreTask& task : tasksOf(plan, store, plan.cell(prompt, seed, v), metrics, by, pixels))
      if (!store.score(task.key)) missing.push_back(std::move(task));
  return missing;
}

nlohmann::json scoresOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<std::string>& metrics, const std::string& by) {
  nlohmann::json scores = nlohmann::json::object();
  std::map<std::string, std::string> pixels;
  for (const ScoreTask& task : tasksOf(plan, store, cell, metrics, by, pixels)) {
    const auto score = store.score(task.key);
    scores[task.metric] = score && score->is_object() ? score->value("value", nlohmann::json()) : nlohmann::json();
  }
  return scores;
}

}  // namespace quantspot::evaluation
