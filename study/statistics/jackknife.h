// How sure a figure is, from how it moves when one thing is left out.
#pragma once

#include <vector>

namespace quantspot::statistics {

// The jackknife's variance of a figure, and the degrees of freedom of that variance (Satterthwaite, from the kurtosis): 2 to n − 1.
struct Spread {
  double variance = 0, freedom = 0;
};

// without: the figure with each thing left out in turn, two or more.
Spread jackknife(const std::vector<double>& without);

}  // namespace quantspot::statistics
