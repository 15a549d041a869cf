// Whether counts are as even as they should be.
#pragma once

#include <vector>

namespace quantspot::statistics {

struct ChiSquare {
  double statistic = 0, p_value = 1;
  int freedom = 0;
};

// Pearson's test of counts against equal expectation, such as how often each variant lay in each slot. Oracle:
// scipy.stats.chisquare. Throws std::invalid_argument for fewer than two cells or no count at all.
ChiSquare evenness(const std::vector<int>& counts);

// Pearson's test of independence of a table's rows and columns, without continuity correction; empty rows and columns are left
// out. Oracle: scipy.stats.chi2_contingency(correction=False). Throws std::invalid_argument when less than 2 × 2 is left.
ChiSquare independence(const std::vector<std::vector<int>>& table);

}  // namespace quantspot::statistics
