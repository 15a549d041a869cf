#include "study/statistics/detection.h"

#include "study/statistics/normal.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {

PooledDetection pooledDetection(const std::vector<DetectionCount>& kinds, double level) {
  double value = 0, middle = 0, variance = 0, trials = 0;
  for (const DetectionCount& kind : kinds) {
    if (kind.correct < 0 || kind.correct > kind.trials || !(kind.chance >= 0 && kind.chance < 1))
      throw std::invalid_argument("correct=" + std::to_string(kind.correct) + " of trials=" + std::to_string(kind.trials) + " at chance="
          + std::to_string(kind.chance) + ": counts must be 0 to trials, and chance below 1");
    const double n = kind.trials, span = 1 - kind.chance, p = (kind.correct + 2) / (n + 4);
    value += (kind.correct - n * kind.chance) / span;
    middle += n * (p - kind.chance) / span;
    variance += n * n * p * (1 - p) / (n + 4) / (span * span);
    trials += n;
  }
  if (trials == 0) return {};
  const double half = zForLevel(level) * std::sqrt(variance);
  return {value / trials, {(middle - half) / trials, (middle + half) / trials}, static_cast<int>(trials)};
}

}  // namespace quantspot::statistics
