// Agreement of several people about the same things.
#pragma once

#include "study/statistics/binomial.h"

#include <cstdint>
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

// Interval from leaving out each thing in turn (jackknife) on the scale log((1 + (m − 1) α) / (1 − α)), m ratings per thing on average, with
// Student's t. It holds the truth as often as it says where the bootstrap's is too narrow (docs/study-analysis.md). {1, 1} for full agreement;
// [−1, 1] where that scale tells nothing: fewer than three things rated twice, or a thing without which all values are equal.
Interval krippendorffInterval(const Ratings& ratings, Measurement measurement, double level = 0.95);

// Percentile interval from `draws` resamplings of the things rated. Resamples without any variation are drawn again.
Interval krippendorffBootstrap(const Ratings& ratings, Measurement measurement, double level = 0.95, int draws = 2000, std::uint64_t seed = 1);

}  // namespace quantspot::statistics
