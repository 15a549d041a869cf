#include "study/statistics/confidence_sequence.h"

#include "study/statistics/optimize.h"

#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

double logBeta(double a, double b) { return boost::math::lgamma(a) + boost::math::lgamma(b) - boost::math::lgamma(a + b); }

// log of a martingale under share p: the likelihood ratio of a beta mixture of shares against p.
double logMartingale(int correct, int trials, double p, int tuned_for) {
  // 0.05 and not 1 − level: the tuning of the reference, which changes the width a little and the coverage not at all.
  const double log_odds = std::log(1 / 0.05), variance = p * (1 - p);
  const double rho = variance * tuned_for / (2 * log_odds + std::log1p(2 * log_odds));
  const double r = std::max(rho - variance, 1e-3 * variance);
  const double a = r / (1 - p), b = r / p;
  return logBeta(a + correct, b + trials - correct) - logBeta(a, b) - correct * std::log(p) - (trials - correct) * std::log1p(-p);
}

}  // namespace

Interval confidenceSequence(int correct, int trials, int tuned_for, double level) {
  if (correct < 0 || correct > trials)
    throw std::invalid_argument("correct=" + std::to_string(correct) + " of trials=" + std::to_string(trials) + ": must be 0 to trials");
  if (tuned_for < 1 || !(level > 0 && level < 1)) throw std::invalid_argument("tuned_for must be 1 or more and level between 0 and 1");
  Interval interval;
  if (trials == 0) return interval;
  const double threshold = std::log(1 / (1 - level)), seen = static_cast<double>(correct) / trials;
  const auto excess = [&](double p) { return logMartingale(correct, trials, p, tuned_for) - threshold; };
  constexpr double kEdge = 1e-12;
  const double inside = std::clamp(seen, kEdge, 1 - kEdge);
  if (correct > 0 && excess(kEdge) > 0) interval.low = findRoot(excess, kEdge, inside);
  if (correct < trials && excess(1 - kEdge) > 0) interval.high = findRoot(excess, inside, 1 - kEdge);
  return interval;
}

}  // namespace quantspot::statistics
