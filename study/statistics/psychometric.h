// How the share of right answers falls (or rises) with a quantity such as bits per weight.
#pragma once

#include "study/statistics/bradley_terry.h"

namespace quantspot::statistics {

struct Level {
  double x = 0;              // bits per weight, say
  int correct = 0, trials = 0;
};

struct PsychometricOptions {
  double guess = 0.25;       // share right by chance, held fixed
  double lapse = 0;          // share wrong by slips, held fixed
  double level = 0.95;
};

struct Psychometric {
  Estimate threshold;        // x where half of the way from guessing to 1 − lapse is gone
  Estimate slope;            // of the logit per unit of x; negative when detection falls with x; an end is infinite where a step fits as well
  double jnd = 0;            // |x| from there to three quarters of the way: ln 3 / |slope|
  Interval jnd_interval;     // from the slope's, high infinite where that holds 0
  double deviance = 0;       // against the saturated model
  bool separated = false;    // the data are a step: no finite slope fits best
  bool flat = false;         // the slope is 0 to the last digits: there is no threshold, and jnd is infinite
};

// Share right = guess + (1 − guess − lapse) · logistic(slope · (x − threshold)), by maximum likelihood; Wald intervals, the
// threshold's by the delta method; where twice the log likelihood of a step is within twice χ² of the largest, the slope has
// no end that way, and the JND may be 0: with few trials Wald's ends held in 0 to 90 %. Oracle: R's glm with psyphy's link
// mafc.logit. Throws std::invalid_argument for fewer than two levels or a guess rate outside [0, 1).
Psychometric fitPsychometric(const std::vector<Level>& levels, const PsychometricOptions& options = {});

// The fitted share right at x.
double psychometricRate(const Psychometric& fit, const PsychometricOptions& options, double x);

}  // namespace quantspot::statistics
