// An interval of a share that may be looked at after every answer.
#pragma once

#include "study/statistics/binomial.h"

namespace quantspot::statistics {

// With probability `level` it holds the true share at every number of trials at once, so a study may stop when it excludes (or
// falls below) a value fixed beforehand. Tightest near `tuned_for` trials, which must be fixed beforehand, too. Source: Howard et al.,
// Ann. Statist. 49 (2021), the two-sided beta-binomial mixture; oracle: confseq's bernoulli_confidence_interval. No trials:
// [0, 1]. Throws std::invalid_argument for impossible counts.
Interval confidenceSequence(int correct, int trials, int tuned_for = 100, double level = 0.95);

}  // namespace quantspot::statistics
