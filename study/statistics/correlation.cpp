#include "study/statistics/correlation.h"

#include "study/statistics/normal.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace quantspot::statistics {
namespace {

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from;
    while (to < order.size() && values[order[to]] == values[order[from]]) ++to;
    for (std::size_t k = from; k < to; ++k) result[order[k]] = static_cast<double>(from + to + 1) / 2;
    from = to;
  }
  return result;
}

void check(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.size() < 2) throw std::invalid_argument("a correlation needs two lists of the same length, 2 or more");
  for (const auto* side : {&a, &b})
    if (std::all_of(side->begin(), side->end(), [&](double v) { return v == side->front(); }))
      throw std::invalid_argument("all values of one side are equal: correlation is undefined");
}

// most: half a swap of two neighbours below 1, where Fisher's z has no end.
Interval fisher(double r, double most, double variance, double level) {
  const double middle = std::atanh(std::clamp(r, -most, most)), half = zForLevel(level) * std::sqrt(variance);
  return {r <= -1 ? -1.0 : std::tanh(middle - half), r >= 1 ? 1.0 : std::tanh(middle + half)};
}

int sign(double x) { return (x > 0) - (x < 0); }

}  // namespace

Correlation spearman(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check(a, b);
  const auto x = ranks(a), y = ranks(b);
  const double mean = (static_cast<double>(x.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  const double n = static_cast<double>(a.size());
  Correlation result{xy / std::sqrt(xx * yy), {-1, 1}, static_cast<int>(a.size())};
  if (result.pairs > 4) result.interval = fisher(result.value, 1 - 6 / (n * (n * n - 1)), (1 + result.value * result.value / 2) / (n - 3), level);
  return result;
}

Correlation kendall(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check(a, b);
  double score = 0, untied_a = 0, untied_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const int x = sign(a[i] - a[j]), y = sign(b[i] - b[j]);
      score += x * y;
      untied_a += x != 0;
      untied_b += y != 0;
    }
  const double n = static_cast<double>(a.size());
  Correlation result{score / std::sqrt(untied_a * untied_b), {-1, 1}, static_cast<int>(a.size())};
  if (result.pairs > 4) result.interval = fisher(result.value, 1 - 2 / (n * (n - 1)), 0.437 * (1 + result.value * result.value) / (n - 4), level);
  return result;
}

}  // namespace quantspot::statistics
