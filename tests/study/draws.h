// What simulated people draw, and whether intervals hold the truth.
#pragma once

#include "study/statistics/binomial.h"
#include "study/statistics/normal.h"
#include "study/statistics/random.h"

#include <algorithm>

namespace quantspot::statistics::test {

// Successes of n trials with this probability.
inline int binomialDraw(Random& random, int n, double p) {
  int right = 0;
  for (int i = 0; i < n; ++i) right += random.uniform() < p;
  return right;
}

inline double normalDraw(Random& random) { return normalQuantile(std::min(1 - 1e-12, std::max(1e-12, random.uniform()))); }

inline bool holds(const Interval& interval, double truth) { return interval.low <= truth && truth <= interval.high; }

// Share of the studies that end as wanted.
template <class Study>
double covered(int studies, Study&& study) {
  int hits = 0;
  for (int i = 0; i < studies; ++i) hits += study();
  return static_cast<double>(hits) / studies;
}

}  // namespace quantspot::statistics::test
