// The baseline's first picture drawn again: how far two drawings of the same thing lie apart is the noise floor of every figure of pairs.
#pragma once

#include "evaluation/scoring.h"

namespace quantspot::evaluation {

// Whether plan.repeat() is still to be drawn: its first drawing is there, and in this run it has not failed.
bool wantsRepeat(const Plan& plan, Store& store, const std::string& run);

// Scores of pairs that the second drawing lacks, against the first. Empty where the two have the same pixels.
std::vector<ScoreTask> missingRepeatScores(const Plan& plan, const Store& store, const std::vector<Metric>& metrics);

// {"precision", "prompt", "seed", "key", "same", "scores": {"psnr": 48.2, …}}, {…, "error"}, or null while nothing is known.
nlohmann::json noiseFloorOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, const std::string& run);

// One sentence; empty while nothing is known.
std::string noiseFloorText(const nlohmann::json& report);

}  // namespace quantspot::evaluation
