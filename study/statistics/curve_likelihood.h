// How well curves of a given slope, or of a given threshold, fit right answers at several levels.
#pragma once

#include "study/statistics/psychometric.h"

namespace quantspot::statistics {

// The log likelihood of share right = guess + (1 − guess − lapse) · logistic(slope · (x − threshold)), and the largest that it reaches. Its limits
// count as curves: steps (an infinite slope: anything between guessing and the top at the level where the step stands) and level lines (a slope of 0).
// Slopes and thresholds in units of x. Every maximum is searched from several starts, because with a guess rate there may be more than one.
class CurveLikelihood {
 public:
  // Levels at one x are taken together, empty ones left out. At the level numbered `moved_at` so many answers are taken for right instead of wrong
  // (within what was asked there). Throws like fitPsychometric.
  CurveLikelihood(const std::vector<Level>& levels, const PsychometricOptions& options, std::size_t moved_at = 0, double moved = 0);

  struct Best {
    double value = 0, slope = 0, threshold = 0;   // the slope is infinite for steps, 0 for level lines (which have no threshold)
  };
  const Best& best() const { return best_; }
  double atSlope(double slope) const;             // infinite: of steps that way
  double atThreshold(double threshold) const;     // infinite: of level lines
  std::size_t levels() const { return points_.size(); }
  double middle() const { return middle_; }       // of the levels
  double half() const { return half_; }           // from there to the outermost
  double closest() const { return closest_; }     // the least distance of two levels

 private:
  struct Point {
    double z, right, wrong;                       // z: −1 at the lowest level, 1 at the highest
  };
  struct Curve {
    double intercept, slope, value;               // of the logit over z
  };
  double value(double intercept, double slope) const;
  double constant(const Point& point, double share) const;
  double level(double share) const;
  double levelLine() const;
  double step(double towards) const;
  double stepAt(double z, double towards, double standing) const;
  double wanted(const Point& point) const;        // logit that the point's own share asks for, bounded
  struct Score {
    double gradient, information;                 // of one level, by its logit
  };
  Score score(const Point& point, double t) const;
  bool stepUp(Curve& at, double by_intercept, double by_slope) const;
  Curve climb(Curve from, double by_intercept, double by_slope) const;
  Curve climb2(Curve from) const;
  std::vector<double> intercepts(double slope) const;
  void findBest();

  double guess_, top_, span_, middle_ = 0, half_ = 1, closest_ = 0;
  std::vector<Point> points_;
  Best best_;
};

}  // namespace quantspot::statistics
