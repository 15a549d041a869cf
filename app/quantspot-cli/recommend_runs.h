// What "recommend" draws itself: a short comparison, a scan for a mixed policy.
#pragma once

#include "decision/decide.h"
#include "engine/service/service.h"

#include <string>
#include <vector>

namespace quantspot::cli {

struct DrawnWith {
  std::string model;
  protocol::Recipe recipe;               // its prompt is not read
  std::vector<std::string> prompts;
};

// Each prompt at each precision, the first of which is the reference, with the recipe's seed; as report.json of "compare", without pictures. A precision
// that fails is an entry with its reason.
nlohmann::json measureShortly(service::Service& service, const DrawnWith& with, const std::vector<std::string>& precisions);

// The policy of bf16 and `low` with the least error that leaves room for the rest; empty, with a line on stderr, where bf16 fits anyhow or none does.
// Its error is evidence then.
std::string findMix(service::Service& service, decision::Question& question, const DrawnWith& with, const std::string& low);

// As one more choice; bits: what its denoiser takes of the one in bf16.
void addMix(decision::Question& question, const std::string& policy, const protocol::EstimateResult& estimate);

}  // namespace quantspot::cli
