// The 95 % interval of a squared distance between two sets of pictures that belong together in pairs (metrics/pair_moments.h).
#pragma once

#include "evaluation/bootstrap.h"

namespace quantspot::evaluation {

// Of |μ|², μ being the mean of vectors in however many dimensions, of which n were drawn. value: the unbiased estimate; along: their variance in the
// direction of their mean; square: tr Σ² of their covariance.
//
// Method: all θ for which |value − θ| ≤ t √(4 θ · along / n + 2 · square / n²), as Wilson's interval of a share: the first term rules when the sets
// differ, the second when they do not and the estimate is degenerate, where percentiles and jackknife fail. No random draws.
// The low end is below 0 where the distance cannot be told from none; the high end is never below 0. docs/metrics.md says how often it holds the truth.
Interval squaredDistanceInterval(double value, double along, double square, std::size_t n);

}  // namespace quantspot::evaluation
