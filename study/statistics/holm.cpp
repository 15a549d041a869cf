#include "study/statistics/holm.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {

std::vector<double> holm(const std::vector<double>& p_values) {
  for (double p : p_values)
    if (!(p >= 0 && p <= 1)) throw std::invalid_argument("p=" + std::to_string(p) + ": must be 0 to 1");
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - rank) * p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace quantspot::statistics
