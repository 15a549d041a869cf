#include "study/statistics/psychometric_interval.h"

#include "study/statistics/normal.h"
#include "study/statistics/optimize.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace quantspot::statistics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMoved = 0.3;            // answers
constexpr double kFurthest = 100;         // half-widths of the levels

// From the outside, the first value that is held, and the root between it and the one before; `inner` is held.
double outermost(const std::function<double(double)>& excess, const std::vector<double>& from_outside, double inner) {
  double outside = from_outside.front();
  for (std::size_t i = 1; i <= from_outside.size(); ++i) {
    const bool last = i == from_outside.size() || (from_outside[i] < inner) == (outside > inner);
    const double here = last ? inner : from_outside[i];
    if (excess(here) <= 0) return excess(outside) <= 0 ? outside : findRoot(excess, std::min(here, outside), std::max(here, outside));
    if (last) return inner;               // only rounding keeps it from being held
    outside = here;
  }
  return inner;
}

}  // namespace

PsychometricIntervals::PsychometricIntervals(const std::vector<Level>& levels, const PsychometricOptions& options)
    : as_answered_(levels, options), allowed_(std::pow(zForLevel(options.level), 2)) {
  for (std::size_t at = 0; at < as_answered_.levels(); ++at)
    for (const double by : {-kMoved, kMoved}) moved_.emplace_back(levels, options, at, by);
}

double PsychometricIntervals::slopeExcess(double slope) const {
  double least = 2 * (as_answered_.best().value - as_answered_.atSlope(slope));
  for (const CurveLikelihood& curve : moved_) least = std::min(least, 2 * (curve.best().value - curve.atSlope(slope)));
  return least - allowed_;
}

double PsychometricIntervals::thresholdExcess(double threshold) const {
  double least = 2 * (as_answered_.best().value - as_answered_.atThreshold(threshold));
  for (const CurveLikelihood& curve : moved_) least = std::min(least, 2 * (curve.best().value - curve.atThreshold(threshold)));
  return least - allowed_;
}

bool PsychometricIntervals::holdsSlope(double slope) const { return slopeExcess(slope) <= 0; }
bool PsychometricIntervals::holdsThreshold(double threshold) const { return thresholdExcess(threshold) <= 0; }

Interval PsychometricIntervals::slope() const {
  const double steepest = 60 / as_answered_.closest(), best = std::clamp(as_answered_.best().slope, -steepest, steepest);
  const auto end = [&](double side) {
    if (slopeExcess(side * kInfinity) <= 0) return side * kInfinity;
    std::vector<double> slopes;
    for (double steep = steepest; steep * as_answered_.half() > 0.1; steep /= 1.5) slopes.push_back(side * steep);
    slopes.push_back(0);
    for (std::size_t i = slopes.size() - 1; i-- > 0;) slopes.push_back(-slopes[i]);
    return outermost([&](double slope) { return slopeExcess(slope); }, slopes, best);
  };
  return {end(-1), end(1)};
}

Interval PsychometricIntervals::threshold() const {
  if (thresholdExcess(kInfinity) <= 0) return {-kInfinity, kInfinity};
  const double middle = as_answered_.middle(), half = as_answered_.half();
  const double best = std::clamp(as_answered_.best().threshold, middle - kFurthest * half, middle + kFurthest * half);
  const auto end = [&](double side) {
    std::vector<double> places;
    for (double far = kFurthest; far > 1; far /= 1.4) places.push_back(far);
    for (int i = 40; i >= -40; --i) places.push_back(i / 40.0);
    for (double far = 1.05; far <= kFurthest; far *= 1.4) places.push_back(-far);
    for (double& place : places) place = middle + side * half * place;
    if (thresholdExcess(places.front()) <= 0) return side * kInfinity;
    return outermost([&](double threshold) { return thresholdExcess(threshold); }, places, best);
  };
  return {end(-1), end(1)};
}

}  // namespace quantspot::statistics
