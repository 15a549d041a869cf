// Conditional logit: which of several alternatives was chosen, each described by a few features. Bradley–Terry, Davidson and
// Plackett–Luce are this model with different features.
#pragma once

#include "study/statistics/optimize.h"

#include <utility>

namespace quantspot::statistics {

// Parameter index and factor.
using Features = std::vector<std::pair<std::size_t, double>>;

struct ChoiceSet {
  std::vector<Features> alternatives;
  Vector counts;            // how often each was chosen
};

// Maximizes the likelihood of P(alternative) ∝ exp(features · parameters); with reduce_bias, the likelihood times the root of
// the determinant of the information (Firth, Biometrika 80 (1993)), which stays finite under separation. Throws std::domain_error
// where the sets do not determine every parameter.
Maximum fitChoices(const std::vector<ChoiceSet>& sets, std::size_t parameters, bool reduce_bias = false);

// The value, gradient and information of one point.
Curvature choiceCurvature(const std::vector<ChoiceSet>& sets, const Vector& parameters, bool reduce_bias);

}  // namespace quantspot::statistics
