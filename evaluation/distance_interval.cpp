#include "evaluation/distance_interval.h"

#include <algorithm>
#include <cmath>

namespace quantspot::evaluation {

Interval squaredDistanceInterval(double value, double along, double square, std::size_t n) {
  const double count = static_cast<double>(n), t = studentQuantile(count - 1);
  const double tilt = 2 * t * t * along / count, none = t * std::sqrt(2 * square) / count;   // none: half the width where θ is 0
  const double root = std::sqrt(std::max(0.0, tilt * (tilt + 2 * value) + none * none));
  return {value < none ? value - none : value + tilt - root, std::max(0.0, value + tilt + root)};
}

}  // namespace quantspot::evaluation
