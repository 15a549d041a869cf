// How often a difference is seen, over kinds of trials with unlike chances.
#pragma once

#include "study/statistics/binomial.h"

#include <vector>

namespace quantspot::statistics {

struct DetectionCount {
  int correct = 0, trials = 0;
  double chance = 0;
};

struct PooledDetection {
  double value = 0;       // corrected for guessing, each kind weighted by its trials; may be below 0
  // Of one kind the exact interval of its rate; of several their distances to it, root of the sum of squares (MOVER, Zou and Donner 2008).
  Interval interval;
  int trials = 0;
};

// Kinds without trials count nothing; none at all gives zeros. Throws std::invalid_argument for impossible counts or a chance outside [0, 1).
PooledDetection pooledDetection(const std::vector<DetectionCount>& kinds, double level = 0.95);

}  // namespace quantspot::statistics
