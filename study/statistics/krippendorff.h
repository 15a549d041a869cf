// Agreement of several people about the same things.
#pragma once

#include "study/statistics/binomial.h"

#include <optional>
#include <string_view>
#include <vector>

namespace quantspot::statistics {

enum class Measurement { Nominal, Ordinal, Interval };
// "nominal", "ordinal", "interval". Throws std::invalid_argument for another.
Measurement measurementFromName(std::string_view name);

// One row per person, one column per thing rated; NaN where a person did not rate it.
using Ratings = std::vector<std::vector<double>>;

// Krippendorff's α: 1 full agreement, 0 what chance gives. Source: Krippendorff, Content Analysis (2004), chapter 11; oracle: the
// package krippendorff. Throws std::invalid_argument for rows of unequal length, fewer than one thing rated twice, or a single
// value throughout.
double krippendorffAlpha(const Ratings& ratings, Measurement measurement);

// Fewer things rated by two people or more than this tell too little of how far α may lie from the truth: no interval.
inline constexpr int kFewestThings = 30;
// α compares with what chance gives, and that hangs on how often each value is true. Where some are rare, a few things decide, and those may
// not be among these: no interval. The limit is a relative variance: for one value in two and 30 things it is 0, for one in five 0.019.
inline constexpr double kMostOneSided = 0.006;
// Weight of the variance that all-or-nothing things would have against the jackknife's, as degrees of freedom.
inline constexpr double kBinomialFreedom = 40;

struct AgreementInterval {
  std::optional<Interval> interval;
  std::string_view reason;      // why there is none; a clause in lower case
};

// Wilson's interval of (1 − α) / (1 − the least α), with as many things as its variance is worth, as Korn and Graubard (1998) have it for
// surveys. The variance is the jackknife's (each thing left out in turn), mixed with the larger of it and the binomial one, since of few things
// those that differ may be missing; Student's t has the jackknife's degrees of freedom. How often it holds the truth:
// docs/study-analysis.md. None where fewer than kFewestThings things were rated by two people, or where ratings are too one-sided.
AgreementInterval krippendorffInterval(const Ratings& ratings, Measurement measurement, double level = 0.95);

}  // namespace quantspot::statistics
