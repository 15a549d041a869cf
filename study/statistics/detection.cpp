#include "study/statistics/detection.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {

PooledDetection pooledDetection(const std::vector<DetectionCount>& kinds, double level) {
  double value = 0, below = 0, above = 0, trials = 0;
  for (const DetectionCount& kind : kinds) {
    if (kind.correct < 0 || kind.correct > kind.trials || !(kind.chance >= 0 && kind.chance < 1))
      throw std::invalid_argument("correct=" + std::to_string(kind.correct) + " of trials=" + std::to_string(kind.trials) + " at chance="
          + std::to_string(kind.chance) + ": counts must be 0 to trials, and chance below 1");
    if (kind.trials == 0) continue;
    const double n = kind.trials, span = 1 - kind.chance, rate = kind.correct / n;
    const Interval exact = clopperPearson(kind.correct, kind.trials, level);
    value += n * (rate - kind.chance) / span;
    below += std::pow(n * (rate - exact.low) / span, 2);
    above += std::pow(n * (exact.high - rate) / span, 2);
    trials += n;
  }
  if (trials == 0) return {};
  return {value / trials, {(value - std::sqrt(below)) / trials, (value + std::sqrt(above)) / trials}, static_cast<int>(trials)};
}

}  // namespace quantspot::statistics
