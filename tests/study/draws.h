// What simulated people draw.
#pragma once

#include "study/statistics/random.h"

namespace quantspot::statistics::test {

// Successes of n trials with this probability.
inline int binomialDraw(Random& random, int n, double p) {
  int right = 0;
  for (int i = 0; i < n; ++i) right += random.uniform() < p;
  return right;
}

}  // namespace quantspot::statistics::test
