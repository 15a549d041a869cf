// 95 % intervals by resampling: of means, of differences between two precisions, of any weighted statistic. Plain functions of numbers;
// the same numbers and options give the same interval on every machine.
//
// Method: BCa (Efron 1987) with the tails widened for small samples as Hesterberg (2015) does for percentiles, z → √(n/(n − 1)) · t(n − 1).
// Simulated, an interval of the mean of 6 normal values holds the truth in 93 % of the cases, of 40 in 95 %. Below kFewest values there is none:
// no resampling of so few covers what it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace quantspot::evaluation {

inline constexpr std::size_t kFewest = 6;

struct Interval {
  double low = 0, high = 0;
};
struct Estimate {
  double value = 0;
  std::size_t n = 0;                     // values, or pairs of values
  std::optional<Interval> ci95;          // absent: fewer than kFewest, or one is infinite (PSNR of equal pictures)
};
struct BootstrapOptions {
  int resamples = 4000;
  std::uint64_t seed = 1;
};

// All throw std::invalid_argument when a value is not a number, there is none, or pairs are wanted and the lengths differ.
Estimate bootstrapMean(std::span<const double> values, const BootstrapOptions& options = {});
// Mean of values[i] − baseline[i]: what two precisions share prompt and seed for.
Estimate bootstrapPairedDifference(std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options = {});
// mean(values) / mean(baseline) − 1, of pairs. A baseline whose mean is 0 has no interval, and the value is not finite.
Estimate bootstrapPairedChange(std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options = {});
// mean(values) − mean(baseline) where nothing pairs them; n is the smaller number.
Estimate bootstrapDifference(std::span<const double> values, std::span<const double> baseline, const BootstrapOptions& options = {});

// How often each value is taken; all 1: the values as they are. Groups lie one after another.
using Weights = std::span<const double>;
using Statistic = std::function<double(Weights)>;
// The interval of any statistic; groups: how many values each independent sample has (resampled by itself). n is the smallest group.
// The statistic is called resamples + Σ groups + 1 times.
Estimate bootstrap(std::span<const std::size_t> groups, const Statistic& statistic, const BootstrapOptions& options = {});

// Draws of each group with replacement, as weights: what bootstrap() does, for a caller who evaluates many at once.
class Resampler {
 public:
  Resampler(std::span<const std::size_t> groups, std::uint64_t seed);
  std::size_t size() const { return size_; }   // Σ groups
  void next(std::span<double> weights);        // of length size()

 private:
  std::vector<std::size_t> groups_;
  std::size_t size_ = 0;
  std::mt19937_64 engine_;
};

// The 97.5 % quantile of Student's t.
double studentQuantile(double freedom);
// The p-quantile of sorted values, interpolated linearly between (B + 1)p-th ones; p beyond them gives the outermost.
double sortedQuantile(std::span<const double> sorted, double p);
// The quantiles 2.5 % and 97.5 % of replicates in any order. Throws std::invalid_argument when there is none or one is not finite.
Interval percentileInterval(std::vector<double> replicates);

}  // namespace quantspot::evaluation
