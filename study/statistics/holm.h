// Several tests at once.
#pragma once

#include <vector>

namespace quantspot::statistics {

// Holm's step-down adjustment of p-values, in the order given: reject those that stay below alpha. Source: Holm, Scand. J.
// Statist. 6 (1979); oracle: statsmodels multipletests(method="holm"). Throws std::invalid_argument for a p outside [0, 1].
std::vector<double> holm(const std::vector<double>& p_values);

}  // namespace quantspot::statistics
