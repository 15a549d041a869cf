// Wald's sequential probability ratio test of a share of right answers.
#pragma once

namespace quantspot::statistics {

enum class SequentialVerdict { Continue, AcceptNull, AcceptAlternative };

struct SprtPlan {
  double null_rate = 0.25, alternative_rate = 0.35;   // null < alternative
  double alpha = 0.05, beta = 0.05;                   // at most (Wald's bounds, up to overshoot)
};

struct SprtState {
  double log_ratio = 0, lower = 0, upper = 0;         // continue while strictly between
  SequentialVerdict verdict = SequentialVerdict::Continue;
};

// Where the test stands after so many answers. Source: Wald, Ann. Math. Statist. 16 (1945); closed form. Throws
// std::invalid_argument for a plan that makes no sense or impossible counts. The caller looks after every answer and
// stops at the first verdict: looking at the sums of a longer series is another test.
SprtState sprt(const SprtPlan& plan, int correct, int trials);

}  // namespace quantspot::statistics
