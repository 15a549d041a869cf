#include "study/statistics/correlation.h"

#include "study/statistics/jackknife.h"
#include "study/statistics/normal.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>

namespace quantspot::statistics {
namespace {

// Chosen by simulation: weight of theory, as degrees of freedom; least variance, of theory's; what a swap counts; the jackknife's bias.
constexpr double kTheoryFreedom = 2, kLeastOfTheory = 0.75, kSwap = 0.06, kBias = 1.5;
constexpr int kFewest = 5;

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

int sign(double x) { return (x > 0) - (x < 0); }

// Fisher's z; most: half a swap of two neighbours below 1, where it has no end.
double fisher(double r, double most) { return std::atanh(std::clamp(r, -most, most)); }

// z of the others with each pair left out; where that leaves one side constant, the mean of the rest.
std::vector<double> transformed(std::vector<double> without, double most) {
  double sum = 0, known = 0;
  for (double r : without)
    if (!std::isnan(r)) sum += fisher(r, most), ++known;
  for (double& r : without) r = std::isnan(r) ? sum / known : fisher(r, most);
  return without;
}

// Of z of the figure. swaps: how many of neighbours lead from full agreement to here; theory: variance of z in normal data.
Interval zInterval(double z, double r, const Spread& seen, double n, double swaps, double theory, double level) {
  const double expected = theory + kSwap / std::max(0.5, swaps), weight = n - 2;
  const double mixed = (weight * seen.variance * (1 - kBias / n) + kTheoryFreedom * expected) / (weight + kTheoryFreedom);
  const double variance = std::max(mixed, kLeastOfTheory * expected);
  const double middle = z - r * variance, half = tForLevel(level, seen.freedom + kTheoryFreedom) * std::sqrt(variance);
  return {std::tanh(middle - half), std::tanh(middle + half)};
}

// Where all ranks agree nothing speaks against 1.
Interval untilTheEnd(Interval found, double r) {
  if (r >= 1 - 1e-12) found.high = 1;
  if (r <= -1 + 1e-12) found.low = -1;
  return found;
}

// ρ of which n pairs show this much on average, in normal data.
double withoutBias(double shown, double n) {
  double low = -1, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double rho = (low + high) / 2, tau = 2 / std::numbers::pi * std::asin(std::clamp(2 * std::sin(std::numbers::pi / 6 * rho), -1.0, 1.0));
    ((n - 2) * rho + 3 * tau < (n + 1) * shown ? low : high) = rho;
  }
  return (low + high) / 2;
}

// Spearman's ρ of all but one pair; n: none is left out.
double spearmanWithout(std::size_t out, const std::vector<double>& a, const std::vector<double>& b, const std::vector<double>& x,
                       const std::vector<double>& y) {
  const bool all = out == a.size();
  const double middle = (static_cast<double>(a.size()) + (all ? 1 : 0)) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    if (j == out) continue;
    const double dx = x[j] - middle - (all ? 0 : (1 + sign(a[j] - a[out])) / 2.0), dy = y[j] - middle - (all ? 0 : (1 + sign(b[j] - b[out])) / 2.0);
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / std::sqrt(xx * yy);
}

}  // namespace

Correlation spearman(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check(a, b);
  const auto x = ranks(a), y = ranks(b);
  const double n = static_cast<double>(a.size());
  Correlation result{spearmanWithout(a.size(), a, b, x, y), {-1, 1}, static_cast<int>(a.size())};
  if (result.pairs < kFewest) return result;
  std::vector<double> without;
  for (std::size_t i = 0; i < a.size(); ++i) without.push_back(spearmanWithout(i, a, b, x, y));
  const auto most = [](double count) { return 1 - 6 / (count * (count * count - 1)); };
  const double r = result.value;
  const Interval shown = zInterval(fisher(r, most(n)), r, jackknife(transformed(std::move(without), most(n - 1))), n,
                                   (1 - std::abs(r)) * n * (n * n - 1) / 12, (1 + 0.4 * r * r) / (n - 3), level);
  result.interval = untilTheEnd({withoutBias(shown.low, n), withoutBias(shown.high, n)}, r);
  return result;
}

Correlation kendall(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check(a, b);
  std::vector<double> scores(a.size()), untied_a(a.size()), untied_b(a.size());   // of each with all others
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j) {
      const int x = sign(a[i] - a[j]), y = sign(b[i] - b[j]);
      scores[i] += x * y;
      untied_a[i] += x != 0;
      untied_b[i] += y != 0;
    }
  const auto sum = [](const std::vector<double>& of) { return std::accumulate(of.begin(), of.end(), 0.0); };
  const double score = sum(scores), all_a = sum(untied_a), all_b = sum(untied_b), n = static_cast<double>(a.size());
  Correlation result{score / std::sqrt(all_a * all_b), {-1, 1}, static_cast<int>(a.size())};
  if (result.pairs < kFewest) return result;
  std::vector<double> without;
  for (std::size_t i = 0; i < a.size(); ++i)
    without.push_back((score - 2 * scores[i]) / std::sqrt((all_a - 2 * untied_a[i]) * (all_b - 2 * untied_b[i])));
  const auto most = [](double count) { return 1 - 2 / (count * (count - 1)); };
  const double r = result.value;
  result.interval = untilTheEnd(zInterval(fisher(r, most(n)), r, jackknife(transformed(std::move(without), most(n - 1))), n,
                                          (1 - std::abs(r)) * n * (n - 1) / 4, 0.4 / (n - 4), level), r);
  return result;
}

}  // namespace quantspot::statistics
