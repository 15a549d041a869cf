// Which scores the cells of a plan get, and where they are kept: apart from the pictures, so that a metric can be added later.
#pragma once

#include "evaluation/plan.h"
#include "evaluation/store.h"

#include <optional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

// One score that is not there yet: of `cell` against its prompt, or against the baseline's picture.
struct ScoreTask {
  std::string metric, key;
  Cell cell;
  std::optional<Cell> baseline;
  std::string prompt;
};

// Ids of figures.h with a score per cell (prompt or pair), of those that the scorer offers.
std::vector<std::string> cellMetrics(const std::vector<std::string>& offered);
// `by` names what scores: the weights, where a metric has some. Cells that are not finished have no task; a pair needs both.
std::vector<ScoreTask> missingScores(const Plan& plan, Store& store, const std::vector<std::string>& metrics, const std::string& by);
// Those of one comparison.
std::vector<ScoreTask> missingScores(const Plan& plan, Store& store, const std::vector<std::string>& metrics, const std::string& by, std::size_t prompt, std::size_t seed);
// {"clip": 23.1, "psnr": null, …}: what is known; null where the score has no finite value or could not be taken.
nlohmann::json scoresOf(const Plan& plan, const Store& store, const Cell& cell, const std::vector<std::string>& metrics, const std::string& by);

}  // namespace quantspot::evaluation
