#include "tests/metrics/pair_cases.h"

#include "evaluation/distance_interval.h"
#include "metrics/pair_moments.h"

#include <ATen/CPUGeneratorImpl.h>

#include <spdlog/fmt/fmt.h>

#include <functional>

namespace quantspot::test {
namespace {

using metrics::Kernel;

at::Tensor normal(at::Generator& random, std::int64_t rows, std::int64_t width) { return at::randn({rows, width}, random, at::kDouble); }
at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, 1, true); }

// Eight kinds of motif, directions of falling weight.
at::Tensor motifs(at::Generator& random, std::int64_t pictures, std::int64_t width) {
  const at::Tensor fall = at::arange(1, width + 1, at::kDouble).rsqrt(), kinds = normal(random, 8, width);
  return (normal(random, pictures, width) + 1.5 * kinds.index_select(0, at::randint(8, {pictures}, random, at::kLong))) * fall;
}

at::Tensor features(at::Generator& random, const std::string& kind, std::int64_t pictures, std::int64_t width) {
  const at::Tensor x = motifs(random, pictures, width);
  if (kind != "inception") return x + 2;
  const at::Tensor mixed = x.matmul(normal(random, width, width)) / std::sqrt(width);
  return (0.35 + 0.3 * mixed + 0.1 * normal(random, pictures, width)).clamp_min(0);
}

at::Tensor changed(at::Generator& random, const at::Tensor& x, const std::string& change, double size) {
  const at::Tensor spread = x.std(0), noise = spread * normal(random, x.size(0), x.size(1));
  if (change == "noise") return x + size * noise;
  if (change == "shift") return x + size * spread * normal(random, 1, x.size(1)) + 0.2 * size * noise;
  if (change == "a tenth") {
    const at::Tensor apart = at::rand({x.size(0), 1}, random, at::kDouble) < 0.1;
    return x + 0.1 * spread * normal(random, x.size(0), x.size(1)) + 3 * size * noise * apart;
  }
  return x.mean(0) + (1 - 0.5 * size) * (x - x.mean(0)) + 0.3 * size * noise;
}

std::vector<double> resampled(Kernel kernel, const PairSets& sets, std::uint64_t seed) {
  const auto n = static_cast<std::size_t>(sets.a.size(0));
  const std::size_t groups[] = {n, n};
  evaluation::Resampler resampler(groups, seed);
  at::Tensor weights = at::empty({1000, 2 * sets.a.size(0)}, at::kDouble);
  for (std::size_t i = 0; i < 1000; ++i) resampler.next({weights.mutable_data_ptr<double>() + i * 2 * n, 2 * n});
  return metrics::mmdReplicates(kernel, sets.a, sets.b, weights);
}

// Of numbers near 0 that differ by rounding alone.
Coverage coverage(int sets, double truth, const std::function<evaluation::Interval(std::uint64_t)>& interval) {
  Coverage all;
  for (int i = 0; i < sets; ++i) {
    const auto one = interval(static_cast<std::uint64_t>(i));
    all.held += one.low - 1e-12 <= truth && truth <= one.high + 1e-12 ? 1.0 / sets : 0;
    all.width += (one.high - one.low) / sets;
  }
  return all;
}

}  // namespace

std::vector<PairPopulation> pairPopulations(std::int64_t pictures, std::int64_t width) {
  std::vector<PairPopulation> all;
  auto random = at::detail::createCPUGenerator(7);
  for (const auto& [name, kind, kernel] : {std::tuple{"kid", "inception", Kernel::Cubic}, {"kid", "clip", Kernel::Cubic},
                                           {"cmmd", "clip", Kernel::Gaussian}}) {
    const at::Tensor x = features(random, kind, pictures, width);
    for (const char* change : {"noise", "shift", "a tenth", "less spread"})
      for (const double size : {0.05, 0.3, 1.0}) {
        const at::Tensor y = changed(random, x, change, size);
        const bool vectors = std::string(kind) == "clip";
        all.push_back({fmt::format("{} {} {} {}", name, kind, change, size), kernel, vectors ? unit(x) : x, vectors ? unit(y) : y});
      }
  }
  return all;
}

PairSets drawPairs(const PairPopulation& population, std::int64_t n, double kept, std::uint64_t seed) {
  auto random = at::detail::createCPUGenerator(seed);
  const at::Tensor rows = at::randint(population.x.size(0), {n}, random, at::kLong), keep = at::rand({n, 1}, random, at::kDouble) < kept;
  const at::Tensor a = population.x.index_select(0, rows), b = population.y.index_select(0, rows);
  return {at::where(keep, a, b), at::where(keep, b, a)};
}

double pairDistance(const PairPopulation& population, double kept) {
  return (2 * kept - 1) * (2 * kept - 1) * metrics::mmd(population.kernel, population.x, population.y).biased;
}

Coverage coverageOfPairs(const PairPopulation& population, std::int64_t n, double kept, int sets) {
  return coverage(sets, pairDistance(population, kept), [&](std::uint64_t seed) {
    const PairSets drawn = drawPairs(population, n, kept, seed);
    const auto moments = metrics::pairMoments(population.kernel, drawn.a, drawn.b);
    return evaluation::squaredDistanceInterval(moments.value, moments.along, moments.square, static_cast<std::size_t>(n));
  });
}

Coverage coverageOfResampling(const PairPopulation& population, std::int64_t n, double kept, int sets) {
  return coverage(sets, pairDistance(population, kept), [&](std::uint64_t seed) {
    return evaluation::percentileInterval(resampled(population.kernel, drawPairs(population, n, kept, seed), seed));
  });
}

Coverage coverageWithoutPartners(const PairPopulation& population, std::int64_t n, bool change, int sets) {
  const PairPopulation other{population.name, population.kernel, change ? population.y : population.x, population.y};
  return coverage(sets, change ? pairDistance(population, 1) : 0, [&](std::uint64_t seed) {
    const PairSets drawn{drawPairs(population, n, 1, 2 * seed).a, drawPairs(other, n, 1, 2 * seed + 1).a};
    return evaluation::percentileInterval(resampled(population.kernel, drawn, seed));
  });
}

}  // namespace quantspot::test
