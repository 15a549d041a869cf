#include "study/statistics/psychometric.h"

#include "study/statistics/optimize.h"
#include "study/statistics/psychometric_interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNowhere = std::numeric_limits<double>::quiet_NaN();
constexpr double kNothing = 1e6;   // a standard error beyond says that the answers say nothing, as where all are right

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

double logLikelihood(int correct, int trials, double p) {
  return (correct > 0 ? correct * std::log(p) : 0.0) + (trials > correct ? (trials - correct) * std::log1p(-p) : 0.0);
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
  return {std::log(3.0) / std::max(a, b), holds_zero ? kInfinity : std::log(3.0) / std::min(a, b)};
}

// Newton's method by what the gradient does nearby: where answers say little, the expected information is so unlike the curvature that its steps
// come no nearer. Nothing where there is no maximum close by.
template <class Function>
std::optional<Maximum> sharpened(const Function& function, const Vector& from) {
  Vector at = from;
  for (int i = 0; i < 20; ++i) {
    const Vector here = function(at).gradient;
    double by[2][2];
    for (std::size_t j = 0; j < 2; ++j) {
      const double h = 1e-4 * std::max(1.0, std::abs(at[j]));
      Vector up = at, down = at;
      up[j] += h, down[j] -= h;
      for (std::size_t k = 0; k < 2; ++k) by[k][j] = (function(up).gradient[k] - function(down).gradient[k]) / (2 * h);
    }
    const double cross = (by[0][1] + by[1][0]) / 2, determinant = by[0][0] * by[1][1] - cross * cross;
    if (!(determinant > 0 && by[0][0] < 0)) return {};
    const double a = (by[1][1] * here[0] - cross * here[1]) / determinant, b = (by[0][0] * here[1] - cross * here[0]) / determinant;
    at[0] -= a, at[1] -= b;
    if (!(std::abs(at[0] - from[0]) + std::abs(at[1] - from[1]) < 0.1 * (1 + std::abs(from[0]) + std::abs(from[1])))) return {};
    if (std::abs(a) + std::abs(b) < 1e-11 * (1 + std::abs(at[0]) + std::abs(at[1]))) break;
  }
  const Curvature top = function(at);
  return Maximum{.at = at, .value = top.value, .covariance = Cholesky(top.information).inverse(), .converged = true};
}

// From a level line, and where that ends below the best, from there; nothing where the information is singular.
std::optional<Maximum> fitted(const std::vector<Level>& levels, const PsychometricOptions& options, double mean, const CurveLikelihood::Best& best) {
  const auto function = [&](const Vector& at) { return curvature(levels, options, mean, at); };
  const Vector there{best.slope * (mean - best.threshold), best.slope};
  for (const Vector& start : {Vector(2), there}) try {
      if (Maximum found = maximize(function, start); found.converged && found.value > best.value - 1e-7) return found;
    } catch (const std::domain_error&) {
    }
  if (best.slope != 0) try {
    if (auto found = sharpened(function, there); found && found->value > best.value - 1e-7) return found;
  } catch (const std::domain_error&) {
  }
  return {};
}

}  // namespace

void checkLevels(const std::vector<Level>& levels, const PsychometricOptions& options) {
  if (!(options.guess >= 0 && options.lapse >= 0 && options.guess + options.lapse < 1))
    throw std::invalid_argument("guess=" + std::to_string(options.guess) + " and lapse=" + std::to_string(options.lapse)
        + ": must be 0 or more and stay below 1 together");
  const Level* first = nullptr;
  bool two = false;
  for (const Level& level : levels) {
    if (level.correct < 0 || level.correct > level.trials)
      throw std::invalid_argument("a level has " + std::to_string(level.correct) + " right of " + std::to_string(level.trials));
    if (level.trials == 0) continue;
    if (!first) first = &level;
    two = two || level.x != first->x;
  }
  if (!two) throw std::invalid_argument("a psychometric function needs answers at two different levels");
}

Psychometric fitPsychometric(const std::vector<Level>& levels, const PsychometricOptions& options) {
  const PsychometricIntervals intervals(levels, options);
  const CurveLikelihood::Best& best = intervals.likelihood().best();
  Psychometric result;
  result.slope.interval = intervals.slope(), result.threshold.interval = intervals.threshold();
  result.jnd_interval = jndInterval(result.slope.interval);
  result.separated = std::isinf(best.slope);
  double mean = 0, spread = 0;
  for (const Level& level : levels) mean += level.x / static_cast<double>(levels.size());
  for (const Level& level : levels) spread = std::max(spread, std::abs(level.x - mean));
  const std::optional<Maximum> fit = result.separated ? std::nullopt : fitted(levels, options, mean, best);
  const double a = fit ? fit->at[0] : 0, b = fit && best.slope != 0 ? fit->at[1] : best.slope;   // of a level line exactly 0
  const auto error = [&](double by_a, double by_b) {
    const Matrix& c = fit->covariance;
    return std::sqrt(by_a * by_a * c(0, 0) + 2 * by_a * by_b * c(0, 1) + by_b * by_b * c(1, 1));
  };
  result.slope.value = b, result.slope.standard_error = fit ? error(0, 1) : kInfinity;
  if (result.slope.standard_error > kNothing) result.slope.standard_error = kInfinity;
  result.flat = std::abs(b) * spread < 1e-7;
  result.jnd = result.flat ? kInfinity : std::log(3.0) / std::abs(b);
  result.deviance = std::max(0.0, 2 * (saturated(levels) - (fit ? fit->value : best.value)));
  result.threshold.value = result.threshold.standard_error = kNowhere;
  if (result.separated || result.flat) return result;
  result.threshold.value = best.threshold;
  if (!fit) return result;
  result.threshold.value = mean - a / b, result.threshold.standard_error = error(-1 / b, a / (b * b));
  return result;
}

double psychometricRate(const Psychometric& fit, const PsychometricOptions& options, double x) {
  return options.guess + (1 - options.guess - options.lapse) * logistic(fit.slope.value * (x - fit.threshold.value));
}

}  // namespace quantspot::statistics
