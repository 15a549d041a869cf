// Which slopes and thresholds fit the answers well enough.
#pragma once

#include "study/statistics/curve_likelihood.h"

namespace quantspot::statistics {

// Intervals by the likelihood ratio: a slope (a threshold) is held where the log likelihood of the best curve that has it lies no further below the
// largest than half of χ²'s quantile with one degree of freedom. Answers are whole, and where few of them decide, that alone holds the truth too
// seldom: so it is asked again with three tenths of an answer taken for right instead of wrong, or the reverse, at each level in turn; what fits in
// one of these is held. What is held may have holes; the interval reaches from end to end. An end is infinite where steps (a level line, for
// thresholds) are held; a threshold's also beyond a hundred half-widths of the levels.
class PsychometricIntervals {
 public:
  // Throws like fitPsychometric.
  explicit PsychometricIntervals(const std::vector<Level>& levels, const PsychometricOptions& options = {});
  bool holdsSlope(double slope) const;
  bool holdsThreshold(double threshold) const;
  Interval slope() const;
  Interval threshold() const;
  const CurveLikelihood& likelihood() const { return as_answered_; }

 private:
  double slopeExcess(double slope) const;           // by how much twice the difference exceeds χ²'s quantile, the least over what may be moved
  double thresholdExcess(double threshold) const;

  CurveLikelihood as_answered_;
  std::vector<CurveLikelihood> moved_;
  double allowed_;
};

}  // namespace quantspot::statistics
