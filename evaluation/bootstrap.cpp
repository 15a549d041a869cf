#include "evaluation/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

constexpr double kZ = 1.959963984540054;

double normalCdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normalQuantile(double p) {        // by Newton's steps on the distribution function, kept inside ±8
  double z = 0;
  for (int i = 0; i < 60; ++i) {
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    const double step = std::clamp((normalCdf(z) - p) / std::max(density, 1e-300), -0.5, 0.5);
    z = std::clamp(z - step, -8.0, 8.0);
    if (std::abs(step) < 1e-14) break;
  }
  return z;
}

void checkNumbers(std::span<const double> values) {
  if (values.empty()) throw std::invalid_argument("an interval of no values was asked for");
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i]))
      throw std::invalid_argument("value " + std::to_string(i + 1) + " of " + std::to_string(values.size()) + " is not a number");
}

void checkPairs(std::span<const double> values, std::span<const double> baseline) {
  if (values.size() != baseline.size())
    throw std::invalid_argument(std::to_string(values.size()) + " values do not pair with " + std::to_string(baseline.size()) + " of the baseline");
  checkNumbers(values);
  checkNumbers(baseline);
}

bool allFinite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

double weightedMean(std::span<const double> values, Weights weights) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (weights[i] == 0) continue;       // 0 · ∞ is not a number
    sum += weights[i] * values[i];
    total += weights[i];
  }
  return sum / total;
}

// Without the bootstrap where a value is infinite: its mean is, too.
Estimate estimate(std::span<const std::size_t> groups, bool finite, const Statistic& statistic, const BootstrapOptions& options) {
  if (finite) return bootstrap(groups, statistic, options);
  const std::vector<double> once(std::accumulate(groups.begin(), groups.end(), std::size_t{0}), 1.0);
  return {statistic(once), *std::ranges::min_element(groups), {}};
}

// The skewness of the statistic, from leaving out one value after another.
double acceleration(std::span<const std::size_t> groups, const Statistic& statistic, std::size_t size) {
  std::vector<double> weights(size, 1.0);
  double cubes = 0, squares = 0;
  std::size_t first = 0;
  for (const std::size_t n : groups) {
    std::vector<double> left(n);
    for (std::size_t i = 0; i < n; ++i) {
      weights[first + i] = 0;
      left[i] = statistic(weights);
      weights[first + i] = 1;
    }
    const double count = static_cast<double>(n), mean = std::accumulate(left.begin(), left.end(), 0.0) / count, scale = (count - 1) / count;
    for (const double value : left) {
      const double influence = (mean - value) * scale;
      squares += influence * influence;
      cubes += influence * influence * influence;
    }
    first += n;
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

// The median's place among the replicates, in deviations; those that differ by rounding alone count half.
double biasCorrection(std::span<const double> sorted, double value) {
  const double near = 1e-12 * std::max({std::abs(sorted.front()), std::abs(sorted.back()), std::abs(value)});
  double below = 0;
  for (const double replicate : sorted) below += replicate < value - near ? 1 : replicate <= value + near ? 0.5 : 0;
  const double count = static_cast<double>(sorted.size());
  return normalQuantile(std::clamp(below / count, 0.5 / count, 1 - 0.5 / count));
}

}  // namespace

Resampler::Resampler(std::span<const std::size_t> groups, std::uint64_t seed)
    : groups_(groups.begin(), groups.end()), size_(std::accumulate(groups.begin(), groups.end(), std::size_t{0})), engine_(seed) {}

void Resampler::next(std::span<double> weights) {
  std::ranges::fill(weights, 0.0);
  std::size_t first = 0;
  for (const std::size_t n : groups_) {  // the high bits of a product: the standard's own distribution differs from library to library
    for (std::size_t i = 0; i < n; ++i) weights[first + ((engine_() >> 32) * n >> 32)] += 1;
    first += n;
  }
}

// Abramowitz and Stegun 26.7.5; 0.03 % off at 4 degrees of freedom, less above.
double studentQuantile(double freedom) {
  const double z2 = kZ * kZ;
  const double g1 = kZ * (z2 + 1) / 4, g2 = kZ * ((5 * z2 + 16) * z2 + 3) / 96, g3 = kZ * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const double g4 = kZ * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return kZ + (g1 + (g2 + (g3 + g4 / freedom) / freedom) / freedom) / freedom;
}

double sortedQuantile(std::span<const double> sorted, double p) {
  const double last = static_cast<double>(sorted.size() - 1), place = std::clamp(p * static_cast<double>(sorted.size() + 1) - 1, 0.0, last);
  const auto low = static_cast<std::size_t>(place);
  if (low + 1 >= sorted.size()) return sorted.back();
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[low + 1] - sorted[low]);
}

Interval percentileInterval(std::vector<double> replicates) {
  if (replicates.empty() || !allFinite(replicates)) throw std::invalid_argument("an interval needs replicates that are finite numbers");
  std::ranges::sort(replicates);
  return {sortedQuantile(replicates, 0.025), sortedQuantile(replicates, 0.975)};
}

Estimate bootstrap(std::span<const std::size_t> groups, const Statistic& statistic, const BootstrapOptions& options) {
  if (groups.empty() || std::ranges::min(groups) == 0) throw std::invalid_argument("an interval of no values was asked for");
  if (options.resamples < 100) throw std::invalid_argument("resamples=" + std::to_string(options.resamples) + " is too few; use at least 100");
  Resampler resampler(groups, options.seed);
  std::vector<double> weights(resampler.size(), 1.0);
  Estimate result{statistic(weights), std::ranges::min(groups), {}};
  if (result.n < kFewest || !std::isfinite(result.value)) return result;
  std::vector<double> replicates(static_cast<std::size_t>(options.resamples));
  for (double& replicate : replicates) {
    resampler.next(weights);
    replicate = statistic(weights);
  }
  if (!allFinite(replicates)) return result;
  std::ranges::sort(replicates);
  const double n = static_cast<double>(result.n), wide = std::sqrt(n / (n - 1)) * studentQuantile(n - 1);
  const double bias = biasCorrection(replicates, result.value), skew = acceleration(groups, statistic, resampler.size());
  const auto end = [&](double z) {
    const double stretch = 1 - skew * (bias + z);   // not above 0: the correction has left its range
    return sortedQuantile(replicates, stretch > 0 ? normalCdf(bias + (bias + z) / stretch) : z < 0 ? 0 : 1);
  };
  result.ci95 = Interval{end(-wide), end(wide)};
  return result;
}

Estimate bootstrapMean(std::span<const double> values, const BootstrapOptions& options) {
  checkNumbers(values);
  const std::size_t groups[] = {values.size()};
  return estimate(groups, allFinite(values), [&](Weights weights) { return weightedMean(values, weights); }, options);
}

Estimate bootstrapPairedDifference(std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options) {
  checkPairs(values, baseline);
  std::vector<double> differences(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) differences[i] = values[i] == baseline[i] ? 0 : values[i] - baseline[i];   // ∞ − ∞: equal
  return bootstrapMean(differences, options);
}

Estimate bootstrapPairedChange(std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options) {
  checkPairs(values, baseline);
  const std::size_t groups[] = {values.size()};
  const auto change = [&](Weights weights) { return weightedMean(values, weights) / weightedMean(baseline, weights) - 1; };
  return estimate(groups, allFinite(values) && allFinite(baseline), change, options);
}

Estimate bootstrapDifference(std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options) {
  checkNumbers(values);
  checkNumbers(baseline);
  const std::size_t groups[] = {values.size(), baseline.size()};
  const auto difference = [&](Weights weights) {
    return weightedMean(values, weights.first(values.size())) - weightedMean(baseline, weights.subspan(values.size()));
  };
  return estimate(groups, allFinite(values) && allFinite(baseline), difference, options);
}

}  // namespace quantspot::evaluation
