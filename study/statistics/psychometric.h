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
  Estimate threshold;        // x where half of the way from guessing to 1 − lapse is gone; NaN for steps and flat curves
  Estimate slope;            // of the logit per unit of x; negative when detection falls with x; infinite for a step
  double jnd = 0;            // |x| from there to three quarters of the way: ln 3 / |slope|
  Interval jnd_interval;     // from the slope's: low 0 where steps are held, high infinite where a slope of 0 is
  double deviance = 0;       // against the saturated model
  bool separated = false;    // the data are a step: no finite slope fits best
  bool flat = false;         // the slope is 0 to the last digits: there is no threshold, and jnd is infinite
};

// Share right = guess + (1 − guess − lapse) · logistic(slope · (x − threshold)), by maximum likelihood. Standard errors are Wald's and the delta
// method's; intervals are those of PsychometricIntervals, also of steps and flat curves, with open ends where the answers set none: a step has "at
// least so steep", a curve that may be flat any threshold. Oracle: R's glm with psyphy's link mafc.logit; of the intervals, R's own optimizers.
// Throws std::invalid_argument for fewer than two levels with answers, or a guess rate outside [0, 1).
Psychometric fitPsychometric(const std::vector<Level>& levels, const PsychometricOptions& options = {});

// Throws as said above.
void checkLevels(const std::vector<Level>& levels, const PsychometricOptions& options);

// The fitted share right at x.
double psychometricRate(const Psychometric& fit, const PsychometricOptions& options, double x);

}  // namespace quantspot::statistics
