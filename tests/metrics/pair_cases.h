// Pairs of features whose distance is known: populations of a few hundred, drawn from with replacement. For the test and the bench of intervals.
#pragma once

#include "evaluation/bootstrap.h"
#include "metrics/mmd.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

namespace quantspot::test {

// Rows of x and y belong together: y is x changed a little or much, as a lower precision changes a picture's features.
struct PairPopulation {
  std::string name;                      // "kid inception noise 0.3"
  metrics::Kernel kernel;
  at::Tensor x, y;                       // (P, D) float64
};
// KID of features that are not negative (as Inception's) and of unit vectors, CMMD of unit vectors; noise, a shift, a tenth that falls apart,
// less spread; each of three sizes.
std::vector<PairPopulation> pairPopulations(std::int64_t pictures, std::int64_t width);

struct PairSets { at::Tensor a, b; };
// N pairs; each keeps its order with the probability `kept`, else a comes from y: of 0.5 the distance is 0 whatever the change.
PairSets drawPairs(const PairPopulation& population, std::int64_t n, double kept, std::uint64_t seed);
double pairDistance(const PairPopulation& population, double kept);

struct Coverage { double held = 0, width = 0; };   // share of the sets whose interval holds the distance; mean width
Coverage coverageOfPairs(const PairPopulation& population, std::int64_t n, double kept, int sets);
// The interval of sets drawn apart (1,000 resamplings of each by itself), of the same pairs, or of pictures that have no partners.
// `change`: else b is of x, too, and the distance 0.
Coverage coverageOfResampling(const PairPopulation& population, std::int64_t n, double kept, int sets);
Coverage coverageWithoutPartners(const PairPopulation& population, std::int64_t n, bool change, int sets);

}  // namespace quantspot::test
