// The verdict about one variant: noticeable, not noticeable, or not known yet.
#pragma once

#include "study/statistics/binomial.h"
#include "study/statistics/sprt.h"

namespace quantspot::statistics {

enum class Noticeability { Noticeable, NotNoticeable, Undecided };

struct Equivalence {
  Noticeability verdict = Noticeability::Undecided;
  double rate = 0, chance = 0, p_value = 1;
  Interval rate_interval;          // exact, two-sided, at the level
  double detection = 0;            // corrected for guessing: (rate − chance) / (1 − chance), not below 0
  Interval detection_interval;
  double margin = 0;
};

// NotNoticeable only when the upper end of the interval of the corrected detection rate falls below the margin, which must be
// fixed before the study; Noticeable when the exact one-sided test against chance has p ≤ (1 − level) / 2 and equivalence does not hold.
// A difference can be both real and within the margin: then it is NotNoticeable, with its p-value beside it. Throws
// std::invalid_argument for impossible counts or a margin outside (0, 1).
Equivalence equivalence(int correct, int trials, double chance, double margin = 0.1, double level = 0.95);

// Beside a sequential test "noticeable" needs that to have chosen the alternative as well: alone, the p-value of a study that stops as soon as it may
// is too small too often (5.0 % instead of 2.5 %; docs/study-analysis.md).
Noticeability withSequentialTest(Noticeability verdict, SequentialVerdict test);

// The same from an interval that the caller has, such as a confidence sequence, for studies that may stop at any time. Noticeable
// then means that the interval lies above chance.
Equivalence equivalenceOf(int correct, int trials, double chance, const Interval& rate_interval, double margin);

}  // namespace quantspot::statistics
