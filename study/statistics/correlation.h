// Whether one figure ranks things as another does, such as an automatic metric and people.
#pragma once

#include "study/statistics/binomial.h"

#include <vector>

namespace quantspot::statistics {

struct Correlation {
  double value = 0;
  Interval interval;      // through Fisher's z; [−1, 1] with four pairs or fewer; not a point where all ranks agree
  int pairs = 0;
};

// Spearman's ρ with mean ranks for ties; standard error of Bonett & Wright, Psychometrika 65 (2000). Oracle:
// scipy.stats.spearmanr. Throws std::invalid_argument for unequal lengths, fewer than two pairs or a constant side.
Correlation spearman(const std::vector<double>& a, const std::vector<double>& b, double level = 0.95);

// Kendall's τ-b; standard error of Fieller, Hartley & Pearson, Biometrika 44 (1957), times √(1 + τ²),
// without which it is too small where τ is large. Oracle: scipy.stats.kendalltau. Throws likewise.
Correlation kendall(const std::vector<double>& a, const std::vector<double>& b, double level = 0.95);

}  // namespace quantspot::statistics
