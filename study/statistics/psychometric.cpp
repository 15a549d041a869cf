#include "study/statistics/psychometric.h"

#include "study/statistics/normal.h"
#include "study/statistics/optimize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

double logLikelihood(int correct, int trials, double p) {
  return (correct > 0 ? correct * std::log(p) : 0.0) + (trials > correct ? (trials - correct) * std::log1p(-p) : 0.0);
}

void check(const std::vector<Level>& levels, const PsychometricOptions& options) {
  if (!(options.guess >= 0 && options.lapse >= 0 && options.guess + options.lapse < 1))
    throw std::invalid_argument("guess=" + std::to_string(options.guess) + " and lapse=" + std::to_string(options.lapse)
        + ": must be 0 or more and stay below 1 together");
  for (const Level& level : levels)
    if (level.correct < 0 || level.correct > level.trials)
      throw std::invalid_argument("a level has " + std::to_string(level.correct) + " right of " + std::to_string(level.trials));
  for (const Level& level : levels)
    if (level.x != levels[0].x) return;
  throw std::invalid_argument("a psychometric function needs two different levels");
}

// Intercept and slope on the logit scale, x counted from its mean; expected information.
Curvature curvature(const std::vector<Level>& levels, const PsychometricOptions& options, double mean, const Vector& at) {
  Curvature here{.value = 0, .gradient = Vector(2), .information = Matrix(2, 2)};
  const double span = 1 - options.guess - options.lapse;
  for (const Level& level : levels) {
    const double x[] = {1, level.x - mean};
    const double s = logistic(at[0] + at[1] * x[1]);
    const double p = std::clamp(options.guess + span * s, 1e-15, 1 - 1e-15), slope = span * s * (1 - s);
    here.value += logLikelihood(level.correct, level.trials, p);
    for (int i = 0; i < 2; ++i) {
      here.gradient[i] += (level.correct - level.trials * p) / (p * (1 - p)) * slope * x[i];
      for (int j = 0; j < 2; ++j) here.information(i, j) += level.trials * slope * slope / (p * (1 - p)) * x[i] * x[j];
    }
  }
  return here;
}

double saturated(const std::vector<Level>& levels) {
  double sum = 0;
  for (const Level& level : levels)
    if (level.trials > 0) sum += logLikelihood(level.correct, level.trials, static_cast<double>(level.correct) / level.trials);
  return sum;
}

// The steeper, the smaller.
Interval jndInterval(const Interval& slope) {
  const double a = std::abs(slope.low), b = std::abs(slope.high);
  const bool holds_zero = slope.low <= 0 && slope.high >= 0;
  return {std::log(3.0) / std::max(a, b), holds_zero ? std::numeric_limits<double>::infinity() : std::log(3.0) / std::min(a, b)};
}

// The largest likelihood of a step that falls (towards −1) or rises (+1) with x: guessing on one side, right but for lapses on the other,
// and anything between at the level where it stands.
double stepLikelihood(const std::vector<Level>& levels, const PsychometricOptions& options, int towards) {
  const double top = 1 - options.lapse;
  double best = -std::numeric_limits<double>::infinity();
  for (const Level& at : levels) {
    double sum = 0;
    int correct = 0, trials = 0;
    for (const Level& level : levels) {
      if (level.x == at.x) correct += level.correct, trials += level.trials;
      else sum += logLikelihood(level.correct, level.trials, (level.x > at.x) == (towards > 0) ? top : options.guess);
    }
    if (trials > 0) sum += logLikelihood(correct, trials, std::clamp(static_cast<double>(correct) / trials, options.guess, top));
    best = std::max(best, sum);
  }
  return best;
}

}  // namespace

Psychometric fitPsychometric(const std::vector<Level>& levels, const PsychometricOptions& options) {
  check(levels, options);
  double mean = 0;
  for (const Level& level : levels) mean += level.x / static_cast<double>(levels.size());
  Psychometric result;
  Maximum fit;
  try {
    fit = maximize([&](const Vector& at) { return curvature(levels, options, mean, at); }, Vector(2));
    double largest = 0;
    for (const Level& level : levels) largest = std::max(largest, std::abs(fit.at[0] + fit.at[1] * (level.x - mean)));
    result.separated = !fit.converged || largest > 25;
  } catch (const std::domain_error&) {
    result.separated = true;
  }
  if (result.separated) return result;
  const double a = fit.at[0], b = fit.at[1], z = zForLevel(options.level);
  const auto estimate = [z](double value, double variance) {
    const double error = std::sqrt(variance);
    return Estimate{value, error, {value - z * error, value + z * error}};
  };
  result.slope = estimate(b, fit.covariance(1, 1));
  double spread = 0;
  for (const Level& level : levels) spread = std::max(spread, std::abs(level.x - mean));
  result.flat = std::abs(b) * spread < 1e-7;
  for (const int towards : {-1, 1}) {    // of a flat curve only rounding knows the sign: both ways are looked at
    if (!result.flat && (b > 0) != (towards > 0)) continue;
    if (fit.value - stepLikelihood(levels, options, towards) < z * z)   // a step fits nearly as well: no end that way
      (towards < 0 ? result.slope.interval.low : result.slope.interval.high) = towards * std::numeric_limits<double>::infinity();
  }
  result.deviance = 2 * (saturated(levels) - fit.value);
  if (result.flat) {
    result.jnd = std::numeric_limits<double>::infinity();
    result.jnd_interval = jndInterval(result.slope.interval);
    return result;
  }
  const double by_a = -1 / b, by_b = a / (b * b);
  result.threshold = estimate(mean - a / b, by_a * by_a * fit.covariance(0, 0) + 2 * by_a * by_b * fit.covariance(0, 1)
      + by_b * by_b * fit.covariance(1, 1));
  result.jnd = std::log(3.0) / std::abs(b);
  result.jnd_interval = jndInterval(result.slope.interval);
  return result;
}

double psychometricRate(const Psychometric& fit, const PsychometricOptions& options, double x) {
  return options.guess + (1 - options.guess - options.lapse) * logistic(fit.slope.value * (x - fit.threshold.value));
}

}  // namespace quantspot::statistics
