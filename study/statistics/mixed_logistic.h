// Logistic regression in which people and prompts differ: random intercepts beside the fixed effects.
#pragma once

#include "study/statistics/bradley_terry.h"

#include <optional>

namespace quantspot::statistics {

struct MixedRow {
  Vector predictors;                    // fixed effects, the first usually 1
  std::size_t participant = 0, prompt = 0;
  bool success = false;
  double offset = 0;                    // added to the logit, such as logit(chance)
};

struct MixedFit {
  std::vector<Estimate> fixed;                  // standard errors are Wald's, from the Hessian at the optimum
  double participant_sd = 0, prompt_sd = 0;     // of the random intercepts, on the logit scale
  double log_likelihood = 0;                    // Laplace's approximation
  bool singular = false;                        // a standard deviation is (nearly) 0
  std::optional<double> half_width;             // of its interval, where the intercept is all there is and participants are two or more
};

// Maximum of Laplace's approximation of the likelihood, as glmer(y ~ x + (1 | participant) + (1 | prompt)) of lme4 1.1 with
// nAGQ = 1. The interval of a lone intercept is that of mixed_interval.h; others are Wald's. Levels with one participant or one prompt drop
// that term.
// Throws std::invalid_argument for no rows or rows of unequal length, std::domain_error where the data do not determine the fixed effects
// (separation).
MixedFit mixedLogistic(const std::vector<MixedRow>& rows, double level = 0.95);

}  // namespace quantspot::statistics
