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

// Wilson's interval of (1 − α) / (1 − the least α), with as many things as would give the variance that leaving out each thing in turn finds
// (jackknife), as Korn and Graubard (1998) have it for surveys; Student's t, where things differ by less than all or nothing with the
// degrees of freedom of that variance. How often it holds the truth: docs/study-analysis.md. Nothing where fewer than kFewestThings things were
// rated by two people, or where without one thing all ratings are equal.
std::optional<Interval> krippendorffInterval(const Ratings& ratings, Measurement measurement, double level = 0.95);

}  // namespace quantspot::statistics
