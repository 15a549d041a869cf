// How often 95 % intervals of KID and CMMD hold the distance: quantspot_bench_distances [SETS]. A line per number of pictures and way of drawing;
// docs/metrics.md has what it prints.
#include "tests/metrics/pair_cases.h"

#include <ATen/Parallel.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

using namespace quantspot;

namespace {

struct Row {
  double sum = 0, least = 2, most = 0;
  int settings = 0;
  std::string worst;
  void add(const test::Coverage& one, const std::string& name) {
    sum += one.held, ++settings;
    most = std::max(most, one.held);
    if (one.held < least) least = one.held, worst = name;
  }
};

void print(const char* what, std::int64_t n, const Row& row) {
  fmt::print("{:28} N {:4}  {:3} settings: {:.3f} ({:.3f} to {:.3f}; least: {})\n", what, n, row.settings, row.sum / row.settings, row.least,
             row.most, row.worst);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  at::set_num_threads(1);
  const int sets = argc > 1 ? std::atoi(argv[1]) : 500;
  if (sets < 1) return fmt::print(stderr, "usage: quantspot_bench_distances [SETS]; SETS, 500 by default, is a number above 0\n"), 2;
  const auto populations = test::pairPopulations(600, 128);
  for (const std::int64_t n : {8, 16, 64, 256}) {
    Row none, some, apart, free, same;
    for (const auto& population : populations) {
      none.add(test::coverageOfPairs(population, n, 0.5, sets), population.name);
      for (const double kept : {0.75, 1.0})
        some.add(test::coverageOfPairs(population, n, kept, sets), fmt::format("{}, {} kept", population.name, kept));
      const int few = std::max(1, sets / 10);    // each is resampled 1,000 times
      apart.add(test::coverageOfResampling(population, n, 1, few), population.name);
      free.add(test::coverageWithoutPartners(population, n, true, few), population.name);
    }
    for (const std::size_t i : {0U, 12U, 24U}) same.add(test::coverageWithoutPartners(populations[i], n, false, sets / 2 + 1), populations[i].name);
    print("pairs, no distance", n, none);
    print("pairs, a distance", n, some);
    print("pairs, resampled apart", n, apart);
    print("no partners, a distance", n, free);
    print("no partners, no distance", n, same);
  }
  return 0;
}
