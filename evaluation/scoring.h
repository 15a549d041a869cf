// Which scores the cells of a plan get, and where they are kept: apart from the pictures, so that a metric can be added later.
#pragma once

#include "evaluation/metric_choice.h"
#include "evaluation/plan.h"
#include "evaluation/store.h"

#include <optional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

// One score that is not there yet: of `cell` against its prompt, or against the baseline's picture.
struct ScoreTask {
  Metric metric;
  std::string key;
  Cell cell;
  std::optional<Cell> baseline;
  std::string prompt;
};

// Of one comparison. Scores go by their metric and its weights. Cells that are not finished have no task; a pair needs both.
std::vector<ScoreTask> missingScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, std::size_t prompt, std::size_t seed);
// Of all.
std::vector<ScoreTask> missingScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics);
// Scores of one picture against another, whether they are there or not; none unless both pictures are.
std::vector<ScoreTask> pairTasks(const Plan& plan, const Store& store, const Cell& cell, const Cell& baseline, const std::vector<Metric>& metrics);
// Of these tasks, those whose score is not there yet; and the values of those that are, as scoresOf tells them.
std::vector<ScoreTask> missingOf(const Store& store, std::vector<ScoreTask> tasks);
nlohmann::json valuesOf(const Store& store, const std::vector<ScoreTask>& tasks);
// {"clip": 23.1, "psnr": null, …}: what is known; null where the score has no finite value or could not be taken.
nlohmann::json scoresOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<Metric>& metrics);

}  // namespace quantspot::evaluation
