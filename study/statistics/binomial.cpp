#include "study/statistics/binomial.h"

#include <boost/math/special_functions/beta.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

void check(int correct, int trials) {
  if (correct < 0 || trials < correct)
    throw std::invalid_argument("correct=" + std::to_string(correct) + " of trials=" + std::to_string(trials) +
                                ": must be 0 to trials");
}

double probability(int k, int n, double p) {
  if (p == 0.0) return k == 0 ? 1.0 : 0.0;
  if (p == 1.0) return k == n ? 1.0 : 0.0;
  return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(p) +
                  (n - k) * std::log1p(-p));
}

// The counts need not be whole.
Interval exactInterval(double right, double wrong, double level) {
  if (!(level > 0 && level < 1)) throw std::invalid_argument("level=" + std::to_string(level) + ": must lie between 0 and 1, such as 0.95");
  const double tail = (1 - level) / 2;
  return {right <= 0 ? 0.0 : boost::math::ibeta_inv(right, wrong + 1.0, tail), wrong <= 0 ? 1.0 : boost::math::ibetac_inv(right + 1.0, wrong, tail)};
}

template <class Counts>
double sum(int n, double p, Counts counts) {
  double total = 0;
  for (int k = 0; k <= n; ++k)
    if (counts(k)) total += probability(k, n, p);
  return std::min(total, 1.0);
}

}  // namespace

Interval wilson(int correct, int trials, double z) {
  check(correct, trials);
  if (trials == 0) return {};
  const double n = trials, p = correct / n, z2 = z * z;
  const double center = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = z / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  // At the ends the formula is exactly 0 or 1; rounding would leave a trace.
  return {correct == 0 ? 0.0 : center - half, correct == trials ? 1.0 : center + half};
}

Interval clopperPearson(int correct, int trials, double level) {
  check(correct, trials);
  return exactInterval(correct, trials - correct, level);
}

Interval clopperPearsonShare(double share, double trials, double level) {
  if (!(share >= 0 && share <= 1)) throw std::invalid_argument("share=" + std::to_string(share) + ": must be 0 to 1");
  if (!(trials >= 0 && std::isfinite(trials))) throw std::invalid_argument("trials=" + std::to_string(trials) + ": must be 0 or more");
  return exactInterval(share * trials, (1 - share) * trials, level);
}

double binomialTest(int correct, int trials, double chance, Alternative alternative) {
  check(correct, trials);
  if (!(chance >= 0 && chance <= 1)) throw std::invalid_argument("chance=" + std::to_string(chance) + ": must be 0 to 1");
  switch (alternative) {
    case Alternative::Greater: return sum(trials, chance, [&](int k) { return k >= correct; });
    case Alternative::Less: return sum(trials, chance, [&](int k) { return k <= correct; });
    case Alternative::TwoSided: break;
  }
  // The slack lets outcomes that are equally likely on paper count as such, as in R and scipy.
  const double limit = probability(correct, trials, chance) * (1 + 1e-7);
  return sum(trials, chance, [&](int k) { return probability(k, trials, chance) <= limit; });
}

}  // namespace quantspot::statistics
