// How often intervals hold the truth, as sums over all outcomes of a number of trials.
#pragma once

#include "study/statistics/detection.h"
#include "study/statistics/sensitivity.h"
#include "tests/study/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace quantspot::statistics::test {

template <class... Values>
std::string text(const char* pattern, Values... values) {
  char line[160];
  std::snprintf(line, sizeof line, pattern, values...);
  return line;
}

// Probability of each number right of n.
inline std::vector<double> outcomes(int n, double p) {
  std::vector<double> shares;
  for (int k = 0; k <= n; ++k)
    shares.push_back(std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(p)
                              + (n - k) * std::log1p(-p)));
  return shares;
}

// Coverage at each rate of a grid, summed over all outcomes of n trials.
inline std::vector<double> enumerated(int n, double from, double to, const std::function<Interval(int)>& interval,
                                      const std::function<double(double)>& truth) {
  std::vector<Interval> intervals;
  for (int k = 0; k <= n; ++k) intervals.push_back(interval(k));
  std::vector<double> found;
  for (int step = 0; step <= 160; ++step) {
    const double p = from + (to - from) * step / 160, at = truth(p);
    const std::vector<double> shares = outcomes(n, p);
    double share = 0;
    for (int k = 0; k <= n; ++k) share += holds(intervals[static_cast<std::size_t>(k)], at) ? shares[static_cast<std::size_t>(k)] : 0;
    found.push_back(share);
  }
  return found;
}

inline double least(const std::vector<double>& shares) { return *std::min_element(shares.begin(), shares.end()); }
inline double mean(const std::vector<double>& shares) {
  double sum = 0;
  for (double share : shares) sum += share;
  return sum / static_cast<double>(shares.size());
}

// Coverage over the outcomes of two counts; those that are rarer than 1e-9 are left out.
inline double heldOver(const std::vector<double>& first, const std::vector<double>& second, const std::function<bool(int, int)>& held) {
  double share = 0;
  for (std::size_t i = 0; i < first.size(); ++i)
    for (std::size_t j = 0; j < second.size(); ++j)
      if (first[i] * second[j] > 1e-9 && held(static_cast<int>(i), static_cast<int>(j))) share += first[i] * second[j];
  return share;
}

// Of d′ from n trials with and n without a difference.
inline double sameDifferentShare(bool differencing, int n, double hit, double alarm) {
  const double truth = hit > alarm ? sameDifferentDprime(differencing, hit, alarm) : 0;
  return heldOver(outcomes(n, hit), outcomes(n, alarm),
                  [&](int h, int f) { return holds(sameDifferent(differencing, h, n, f, n).interval, truth); });
}

// Of detection pooled over trials of spot and of ABX, where so much of both is seen.
inline double pooledShare(int spots, int pairs, double seen) {
  return heldOver(outcomes(spots, 0.25 + 0.75 * seen), outcomes(pairs, 0.5 + 0.5 * seen),
                  [&](int k, int j) { return holds(pooledDetection({{k, spots, 0.25}, {j, pairs, 0.5}}).interval, seen); });
}

}  // namespace quantspot::statistics::test
