// How many trials a study needs, by exact enumeration.
#pragma once

namespace quantspot::statistics {

// Power of the exact one-sided binomial test that more than chance is right.
struct Power {
  int trials = 0;
  int needed = 0;            // smallest number right with p ≤ alpha; trials + 1 when none has
  double power = 0;          // probability of that many under the true rate
};

// Throws std::invalid_argument unless 0 ≤ chance < 1, 0 ≤ rate ≤ 1 and 0 < alpha < 1.
Power binomialPower(int trials, double rate, double chance, double alpha = 0.05);

// The first number of trials that reaches the power. (Power saws up and down with n: a few larger n may fall just below it.)
// Throws std::invalid_argument also unless chance < rate, and for what 100,000 trials do not reach.
Power trialsNeeded(double rate, double chance, double power = 0.8, double alpha = 0.05);

// Power to show equivalence: that the exact interval's upper bound (two-sided level 1 − 2 alpha) of the rate falls below `bound`.
Power equivalencePower(int trials, double rate, double bound, double alpha = 0.05);

}  // namespace quantspot::statistics
