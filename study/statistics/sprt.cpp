#include "study/statistics/sprt.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {

SprtState sprt(const SprtPlan& plan, int correct, int trials) {
  if (!(plan.null_rate > 0 && plan.null_rate < plan.alternative_rate && plan.alternative_rate < 1))
    throw std::invalid_argument("p0=" + std::to_string(plan.null_rate) + ", p1=" + std::to_string(plan.alternative_rate)
        + ": must be 0 < p0 < p1 < 1");
  if (!(plan.alpha > 0 && plan.beta > 0 && plan.alpha + plan.beta < 1))
    throw std::invalid_argument("alpha and beta must be positive and stay below 1 together");
  if (correct < 0 || correct > trials)
    throw std::invalid_argument("correct=" + std::to_string(correct) + " of trials=" + std::to_string(trials) + ": must be 0 to trials");
  SprtState state;
  state.log_ratio = correct * std::log(plan.alternative_rate / plan.null_rate)
      + (trials - correct) * std::log((1 - plan.alternative_rate) / (1 - plan.null_rate));
  state.lower = std::log(plan.beta / (1 - plan.alpha));
  state.upper = std::log((1 - plan.beta) / plan.alpha);
  if (state.log_ratio >= state.upper) state.verdict = SequentialVerdict::AcceptAlternative;
  else if (state.log_ratio <= state.lower) state.verdict = SequentialVerdict::AcceptNull;
  return state;
}

}  // namespace quantspot::statistics
