#include "study/statistics/power.h"

#include <boost/math/special_functions/beta.hpp>

#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

// P(at least k of n).
double atLeast(int k, int n, double p) {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return boost::math::ibeta(k, n - k + 1.0, p);
}

void check(double rate, double chance, double alpha) {
  if (!(chance >= 0 && chance < 1 && rate >= 0 && rate <= 1 && alpha > 0 && alpha < 1))
    throw std::invalid_argument("rate=" + std::to_string(rate) + ", chance=" + std::to_string(chance) + ", alpha=" + std::to_string(alpha) +
                                ": rates must be 0 to 1, chance below 1, alpha between 0 and 1");
}

}  // namespace

Power binomialPower(int trials, double rate, double chance, double alpha) {
  check(rate, chance, alpha);
  if (trials < 0) throw std::invalid_argument("trials=" + std::to_string(trials) + ": must not be negative");
  int low = 0, high = trials + 1;   // atLeast falls with k: bisection
  while (low < high) {
    const int middle = (low + high) / 2;
    if (atLeast(middle, trials, chance) <= alpha) high = middle;
    else low = middle + 1;
  }
  return {trials, low, atLeast(low, trials, rate)};
}

Power trialsNeeded(double rate, double chance, double power, double alpha) {
  check(rate, chance, alpha);
  if (!(chance < rate && power > 0 && power < 1))
    throw std::invalid_argument("rate=" + std::to_string(rate) + ": must lie above chance, and power between 0 and 1");
  for (int n = 1; n <= 100000; ++n) {
    const Power at = binomialPower(n, rate, chance, alpha);
    if (at.power >= power) return at;
  }
  throw std::invalid_argument("rate=" + std::to_string(rate) + " is so near to chance that 100,000 trials do not suffice");
}

Power equivalencePower(int trials, double rate, double bound, double alpha) {
  check(rate, bound, alpha);
  int most = -1;   // the largest number right that still shows equivalence: P(at most k | bound) ≤ alpha
  while (most + 1 <= trials && 1 - atLeast(most + 2, trials, bound) <= alpha) ++most;
  return {trials, most, most < 0 ? 0 : 1 - atLeast(most + 1, trials, rate)};
}

}  // namespace quantspot::statistics
