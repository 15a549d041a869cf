// Mean opinion scores, plain and corrected for the people who gave them.
#pragma once

#include "study/statistics/krippendorff.h"

#include <vector>

namespace quantspot::statistics {

// One per column of Ratings.
struct Mos {
  double mean = 0;
  Interval interval;      // Student's t over the people; the point itself for one rating
  int ratings = 0;
  double variance = 0;    // of the people, with ratings − 1; 0 for one
};
std::vector<Mos> mos(const Ratings& ratings, double level = 0.95);

// The same where the scale has ends: Wilson's interval of the mean's place between them, of as many people as the variance is worth, with Student's t
// (Korn and Graubard 1998). Near an end opinions are skewed, and a few equal ones have no variance at all: Student's interval then held in 50 to
// 90 %. Rounding to whole opinions hides variance from few people and none from many, so that the variance is raised by 1/4 (answers between two
// neighbours) times 12 / (people + 12). roundings: how often that is in one person's value: once in an opinion, in a change
// of opinions and in a mean of k that are alike, 1/k times in one of k that are not. The scale for one rating.
Interval opinionInterval(const Mos& score, double roundings, const Interval& scale, double level = 0.95);

// Score = quality of the thing + bias of the person + noise with that person's own spread, by alternating projection. Source:
// ITU-T P.910 (2023) annex E, Li et al. (2020); oracle: sureal's SubjectMLEModelProjectionSolver. Biases have mean 0. Throws
// std::invalid_argument where a person or a thing has no rating.
struct SubjectBias {
  std::vector<double> quality, quality_error;      // per thing; standard errors
  std::vector<double> bias, inconsistency;         // per person
};
SubjectBias subjectBias(const Ratings& ratings);

// Whom Rec. ITU-R BT.500-14, annex 1, 2.3.1 would reject: more than 5 % of the ratings beyond 2 σ (√20 σ where the kurtosis of a
// thing's ratings is not within 2…4), about as many above as below. If that were everybody, nobody. Oracle: sureal.
std::vector<bool> bt500Rejected(const Ratings& ratings);

}  // namespace quantspot::statistics
