// Limits that a precision must keep to be good enough: as data that people edit and save.
#pragma once

#include "evaluation/figures.h"
#include "evaluation/summary.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

// What is held against the limit: Change: the figure's change against the baseline, in percent. Share: the figure in percent of the
// baseline's. Value: the figure itself.
enum class Measure { Change, Share, Value };
enum class Side { Below, Above };

struct Threshold {
  std::string id, label, figure;         // id: stored, never renamed; figure: of figures.h
  Measure measure = Measure::Value;
  Side side = Side::Below;
  double limit = 0;
  bool on = true;
  bool operator==(const Threshold&) const = default;
};

enum class Verdict { Pass, Fail, LacksData };

struct ThresholdCell {
  std::string threshold, precision;
  Verdict verdict = Verdict::LacksData;
  std::optional<double> value;           // in the measure's unit
  std::optional<Interval> ci95;          // of that
  bool sure = true;                      // false: the interval holds the limit, or a metric has none
  std::string sentence;                  // the reason, with figures
};

// FID change below 15 %, CLIP score change above −5 %, human rating above 4 of 5, peak memory below 50 % of the baseline's, time
// below and throughput above 100 % of the baseline's.
std::vector<Threshold> defaultThresholds();
// "CLIP-tiny score change": its label, with the name of what stands in for its figure.
std::string labelOf(const Threshold& threshold, const Labels& labels);
// "below 15 %"
std::string limitText(const Threshold& threshold);

// For every precision but the baseline and every threshold that is on; by precision. summaries: the baseline first.
// labels: of figures that something stands in for, by id.
std::vector<ThresholdCell> judge(const std::vector<PrecisionSummary>& summaries, const std::vector<Threshold>& thresholds,
                                 const Labels& labels = {});
// Of all its cells: fails when one fails, lacks data when one lacks them, else passes.
Verdict overall(const std::vector<ThresholdCell>& cells, const std::string& precision);
std::string_view verdictName(Verdict verdict);   // "pass", "fail", "lacks data"

nlohmann::json thresholdsJson(const std::vector<Threshold>& thresholds, const Labels& labels = {});
nlohmann::json judgedJson(const std::vector<ThresholdCell>& cells);
// Throw std::runtime_error that names what is wrong and the choices.
std::vector<Threshold> thresholdsOf(const nlohmann::json& json);
std::vector<Threshold> readThresholds(const std::filesystem::path& path);

}  // namespace quantspot::evaluation
