#include "study/statistics/jackknife.h"

#include <algorithm>
#include <numeric>

namespace quantspot::statistics {

Spread jackknife(const std::vector<double>& without) {
  const double n = static_cast<double>(without.size());
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / n;
  double second = 0, fourth = 0;
  for (double x : without) {
    const double square = (x - mean) * (x - mean);
    second += square;
    fourth += square * square;
  }
  if (!(second > 1e-12)) return {0, n - 1};
  return {second * (n - 1) / n, std::clamp(2 * (n - 1) / std::max(1e-9, n * fourth / (second * second) - 1), 2.0, n - 1)};
}

}  // namespace quantspot::statistics
