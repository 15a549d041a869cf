// Whether one figure ranks things as another does, such as an automatic metric and people.
#pragma once

#include "study/statistics/binomial.h"

#include <vector>

namespace quantspot::statistics {

// The interval lies on Fisher's z = artanh r. Its variance there is the jackknife's (each pair left out in turn), mixed with what it is in normal
// data, said below, and what whole swaps of ranks add; Student's t has the degrees of freedom of that mixture. The jackknife alone sees nothing
// where all ranks agree, and normal theory alone is far off where data have heavy tails or ties. Coverage: docs/study-analysis.md.
struct Correlation {
  double value = 0;
  Interval interval;      // [−1, 1] with four pairs or fewer; not a point where all ranks agree
  int pairs = 0;
};

// Spearman's ρ with mean ranks for ties. In normal data z varies by (1 + 0.4 ρ²) / (n − 3) (after Bonett & Wright, Psychometrika 65 (2000)). Of n
// pairs it is on average ((n − 2) ρ + 3 τ) / (n + 1), near 1 much too small: both ends are carried from that to ρ, with the τ that normal data
// have. Oracle: scipy.stats.spearmanr; of the interval, the formula with scipy's figures. Throws std::invalid_argument for unequal lengths,
// fewer than two pairs or a constant side. Time and memory: n², n.
Correlation spearman(const std::vector<double>& a, const std::vector<double>& b, double level = 0.95);

// Kendall's τ-b. In normal data z varies by 0.4 / (n − 4) (after Fieller, Hartley & Pearson, Biometrika 44 (1957)). Oracle:
// scipy.stats.kendalltau. Throws likewise.
Correlation kendall(const std::vector<double>& a, const std::vector<double>& b, double level = 0.95);

}  // namespace quantspot::statistics
