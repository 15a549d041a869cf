// Quantiles of samples.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace quantspot::statistics {

// Of values in ascending order, at least one; linear between neighbours (R's type 7, numpy's default).
inline double quantile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

}  // namespace quantspot::statistics
