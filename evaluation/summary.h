// From cells to figures per precision, each with its number and 95 % interval, compared with the baseline pair by pair.
#pragma once

#include "evaluation/bootstrap.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct PrecisionSummary {
  std::string precision;
  std::size_t drawn = 0, failed = 0, missing = 0;    // missing: not drawn yet
  std::map<std::string, Estimate> figures;           // by figure id: mean over cells (throughput: cells by their time); a Set figure: its one value
  std::map<std::string, Estimate> changes;           // against the baseline in the same cells, as a part of its mean (0.05: 5 % more)
};

struct CategoryRow {
  std::string category, precision, figure;
  Estimate mean;
};

// One number per set of pictures, such as FID or people's ratings: precision → figure id → value.
using SetFigures = std::map<std::string, std::map<std::string, Estimate>>;

// comparisons: as in report.json: [{"recipe", "category", "samples": [{"precision", "scores", "report"} or {"precision", "error"}]}]; a
// sample that is absent or null was not drawn yet. The first of `precisions` is the baseline. Never throws for absent numbers.
std::vector<PrecisionSummary> summarize(const nlohmann::json& comparisons, const std::vector<std::string>& precisions, const SetFigures& sets = {});
// Means of the scores (not of times and memory) in each category, in order of appearance.
std::vector<CategoryRow> byCategory(const nlohmann::json& comparisons, const std::vector<std::string>& precisions);

// {"value", "n", "ci95": [low, high] or null}; what is not finite is null.
nlohmann::json estimateJson(const Estimate& estimate);
nlohmann::json summaryJson(const std::vector<PrecisionSummary>& summaries);
nlohmann::json categoriesJson(const std::vector<CategoryRow>& rows);

// "rating" from the analysis of a study (of the part that its headline names) or from {"precision": {"value", "ci95", "n"}}.
// Throws std::runtime_error when there is neither.
SetFigures ratingsOf(const nlohmann::json& json);

}  // namespace quantspot::evaluation
