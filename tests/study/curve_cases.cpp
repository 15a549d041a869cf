// The psychometric curve: how often the intervals of slope, threshold and just noticeable difference hold the truth, over all studies.
#include "study/statistics/psychometric_interval.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"

#include <cmath>
#include <cstdio>
#include <map>

namespace quantspot::statistics::test {
namespace {

struct Held {
  bool step, slope, threshold, jnd;
};

Held heldOf(const CurveSetting& s, const std::vector<Level>& levels) {
  const PsychometricOptions options{.guess = s.guess, .lapse = s.lapse, .level = 0.95};
  const CurveLikelihood plain(levels, options);
  const double allowed = std::pow(zForLevel(0.95), 2) / 2, best = plain.best().value;
  Held held{std::isinf(plain.best().slope), best - plain.atSlope(s.slope) <= allowed, best - plain.atThreshold(s.threshold) <= allowed, true};
  if (held.slope && held.threshold) return held;
  const PsychometricIntervals intervals(levels, options);   // holds whatever the plain likelihood does
  held.slope = intervals.holdsSlope(s.slope), held.threshold = intervals.holdsThreshold(s.threshold);
  held.jnd = held.slope || intervals.holdsSlope(-s.slope);  // a difference is as large on a curve that rises
  return held;
}

CurveSetting inside(std::vector<double> bits, int trials, double guess, double slope, double threshold) {
  return {std::move(bits), trials, guess, 0, slope, threshold};
}

}  // namespace

std::string describe(const CurveSetting& s) {
  char line[120];
  std::snprintf(line, sizeof line, "%zu levels of %d, guess %.2f, slope %.1f, half-way at %.1f bits", s.bits.size(), s.trials, s.guess, s.slope,
                s.threshold);
  return line;
}

CurveShares curveShares(const CurveSetting& s, int studies, std::uint64_t seed) {
  Random random(seed);
  std::map<std::vector<int>, Held> known;
  CurveShares sum;
  double slopes = 0, thresholds = 0, jnds = 0;               // of the studies that are no steps
  for (int study = 0; study < studies; ++study) {
    std::vector<int> right;
    for (const double bits : s.bits)
      right.push_back(binomialDraw(random, s.trials, s.guess + (1 - s.guess - s.lapse) / (1 + std::exp(-s.slope * (bits - s.threshold)))));
    auto found = known.find(right);
    if (found == known.end()) {
      std::vector<Level> levels;
      for (std::size_t i = 0; i < right.size(); ++i) levels.push_back({s.bits[i], right[i], s.trials});
      found = known.emplace(right, heldOf(s, levels)).first;
    }
    const Held& held = found->second;
    sum.slope += held.slope, sum.threshold += held.threshold, sum.jnd += held.jnd, sum.steps += held.step;
    if (!held.step) slopes += held.slope, thresholds += held.threshold, jnds += held.jnd;
  }
  const double others = std::max(1.0, studies - sum.steps);
  return {sum.slope / studies, sum.threshold / studies, sum.jnd / studies, sum.steps / studies, slopes / others, thresholds / others, jnds / others};
}

std::vector<CurveSetting> curveGrid(int levels, int trials) {
  std::vector<CurveSetting> all;
  const std::map<int, std::vector<std::vector<double>>> places{{2, {{4, 6}}}, {3, {{2, 4, 8}}}, {4, {{2, 4, 6, 8}, {2, 3, 4, 6}}},
                                                               {6, {{2, 3, 4, 5, 6, 8}}}};
  for (const std::vector<double>& bits : places.at(levels))
    for (const double guess : {0.25, 1.0 / 3, 0.5})
      for (const double slope : {-0.7, -1.4, -3.0})
        for (const double part : {0.03, 0.25, 0.4, 0.65, 0.95})   // of the way from the lowest level to the highest
          all.push_back(inside(bits, trials, guess, slope, bits.front() + part * (bits.back() - bits.front())));
  return all;
}

std::vector<CoverageCase> curveCases() {
  std::vector<CoverageCase> all;
  const std::vector<double> few{2, 4, 8}, four{2, 3, 4, 6}, even{2, 4, 6, 8}, six{2, 3, 4, 5, 6, 8};
  CurveSetting slips = inside(six, 60, 0.25, -1.4, 4);
  slips.lapse = 0.03;
  for (const CurveSetting& s : {inside(six, 120, 0.25, -1.4, 4), inside(six, 60, 0.25, -1.4, 4), slips, inside(six, 20, 0.5, -0.7, 7.5),
           inside(six, 60, 1.0 / 3, -3, 4.2), inside(four, 60, 0.25, -3, 4), inside(four, 20, 0.5, -1.4, 3.5), inside(four, 5, 1.0 / 3, -0.7, 4), inside(even, 60, 0.25, -3, 5),
           inside(even, 60, 0.5, -3, 4.3), inside(few, 5, 0.25, -1.4, 3), inside(few, 20, 0.5, -0.7, 2.2), inside(few, 120, 0.25, -0.7, 5)}) {
    const bool many = s.bits.size() == 6 && s.trials >= 120 && s.slope > -2;
    for (const char* what : {"threshold", "slope", "JND"})
      all.push_back({std::string("psychometric function, ") + what, describe(s) + (s.lapse > 0 ? ", slips 0.03" : ""), !many, 3000, [=](int studies) {
        const CurveShares shares = curveShares(s, studies, 44);
        return what[0] == 't' ? shares.threshold : what[0] == 's' ? shares.slope : shares.jnd;
      }});
  }
  return all;
}

}  // namespace quantspot::statistics::test
