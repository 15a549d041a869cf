// report.json: every number of an evaluation. Tables, pages and charts are made of it alone.
#pragma once

#include "evaluation/metric_choice.h"
#include "evaluation/plan.h"
#include "evaluation/set_scoring.h"
#include "evaluation/store.h"
#include "evaluation/summary.h"
#include "evaluation/thresholds.h"

#include <string>
#include <vector>

namespace quantspot::evaluation {

struct ReportOptions {
  std::string model;                     // as the user named it, resolved
  std::string run;                       // whose failures are told
  MetricChoice metrics;
  std::vector<Threshold> thresholds = defaultThresholds();
  RealPictures real = {};                // that sets are compared with
  SetFigures ratings = {};
  std::string ratingsFrom = {};          // named beside them; empty: by the file that the user gave
};

// {"schema", "model", "precisions", "prompt_set", "comparisons", "metrics", "labels", "lacking", "sets", "noise_floor", …and what analyze() adds}. Layers are in
// the first sample of each precision only. A cell that is neither finished nor failed is left out of its comparison.
nlohmann::json makeReport(const Plan& plan, const Store& store, const ReportOptions& options);

// "summary", "categories", "pareto", "thresholds", "judged", "step_seconds", "growth", "memory_over_time" of comparisons.
nlohmann::json analyze(const nlohmann::json& comparisons, const std::vector<std::string>& precisions, const std::vector<Threshold>& thresholds,
                       const SetFigures& sets = {}, const Labels& labels = {});

// How the figures of a report were obtained, in a few sentences: for its pages.
std::string figuresNote(const nlohmann::json& report);

}  // namespace quantspot::evaluation
