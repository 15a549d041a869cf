// What the grades of rated pictures say of precisions.
#pragma once

#include "study/types.h"

namespace quantspot::study {

// "Bad", "Poor", "Fair", "Good", "Excellent" for 1 to 5: absolute category rating, ITU-T P.910 (2023), 7.1. Empty for other grades.
QString gradeWord(int grade);

struct GradeMean {
  double value = 0;
  int n = 0;                          // grades, or pairs of them
  // 95 %: Wilson's on the scale with Student's t (statistics/mos.h), as a study's opinions have it. Grades are whole numbers: what rounding
  // hides of few is added to their variance, so that a few equal ones do not pass for certainty. Absent below two.
  std::optional<std::pair<double, double>> ci95;
  bool operator==(const GradeMean&) const = default;
};

struct RatingMean {
  QString precision;
  GradeMean mean;                     // 1…5, as its interval; the change's is within −4…4
  std::optional<GradeMean> change;    // against bf16 in the same trials, pair by pair; absent for bf16 and where it was never rated beside it
};

// Of one model's grades; bf16 first, then as first met. A person's grades of one day are hardly independent: the interval is of these pictures
// as this person sees them, not of people.
std::vector<RatingMean> ratingMeans(const std::vector<RatedTile>& tiles, const QString& model);

// "4.2 (3.8–4.6)", "4.0" without an interval; with sign: "−0.4 (−0.9 to +0.1)".
QString gradeText(const GradeMean& mean);
QString changeText(const GradeMean& change);

}  // namespace quantspot::study
