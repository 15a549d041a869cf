// Mean opinions: of few people at least the level, of many the level on both sides.
#include "study/statistics/mos.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"
#include "tests/study/enumerated.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace quantspot::statistics::test {
namespace {

struct Opinions {
  int people;
  double middle, spread;          // of one opinion before it is rounded
  int each = 1;                   // opinions of a person, on as many pictures …
  double between = 0;             // … about the person's own middle, which varies by this; spread is about that
};

// Mean of what is said, rounded and within the scale.
double truthOf(const Opinions& o) {
  const double spread = std::hypot(o.spread, o.between);
  double truth = 0;
  for (int score = 1; score <= 5; ++score) {
    const double low = score == 1 ? -1e9 : score - 0.5, high = score == 5 ? 1e9 : score + 0.5;
    truth += score * (normalCdf((high - o.middle) / spread) - normalCdf((low - o.middle) / spread));
  }
  return truth;
}

bool studyHolds(const Opinions& o, Random& random, double truth) {
  Ratings means;
  double roundings = 0;
  for (int person = 0; person < o.people; ++person) {
    const double middle = o.middle + (o.between > 0 ? o.between * normalDraw(random) : 0);
    std::multiset<double> said;
    for (int i = 0; i < o.each; ++i) said.insert(std::clamp(std::round(middle + o.spread * normalDraw(random)), 1.0, 5.0));
    double mean = 0;
    for (double opinion : said) mean += opinion / o.each;
    means.push_back({mean});
    roundings += (said.count(*said.begin()) < said.size() ? 1.0 / o.each : 1.0) / o.people;
  }
  return holds(opinionInterval(mos(means)[0], roundings, {1, 5}), truth);
}

CoverageCase caseOf(const Opinions& o, bool conservative) {
  std::string setting = text("%d people, opinions 1 to 5 about %g, spread %g", o.people, o.middle, o.spread);
  if (o.each > 1) setting += text(", %d each, people’s own middles %g", o.each, o.between);
  return {"mean opinion", setting, conservative, 8000, [o](int studies) {
    Random random(42);
    const double truth = truthOf(o);
    return covered(studies, [&] { return studyHolds(o, random, truth); });
  }};
}

}  // namespace

std::vector<CoverageCase> opinionCases() {
  std::vector<CoverageCase> all;
  for (const Opinions& few : {Opinions{2, 3.4, 0.9}, {3, 4.5, 1.3}, {3, 4.8, 0.3}, {5, 4.8, 0.6}, {5, 2.6, 0.25}, {8, 3.4, 0.9}, {12, 4.4, 0.25},
                              {24, 3.4, 0.9}, {24, 4.8, 0.6}, {4, 2.5, 0.1, 10, 0.5}, {8, 2.8, 0.1, 10, 0.2}, {24, 4.2, 0.7, 10, 0.5}})
    all.push_back(caseOf(few, true));
  for (const Opinions& many : {Opinions{300, 3.4, 0.9}, {300, 4.8, 0.6}, {300, 2.6, 0.35}, {100, 3.4, 0.9}, {200, 4.2, 0.7, 4, 0.5}})
    all.push_back(caseOf(many, false));
  return all;
}

std::vector<CoverageCase> opinionGrid(int people, int each) {
  std::vector<CoverageCase> all;
  if (each == 1) {
    for (double middle : {2.5, 2.6, 2.75, 2.9, 3.0, 4.0, 4.2, 4.4, 4.5, 4.7, 4.8, 4.9})
      for (double spread : {0.25, 0.35, 0.5, 0.7, 1.0, 1.5}) all.push_back(caseOf({people, middle, spread}, true));
    return all;
  }
  for (double middle : {2.5, 2.75, 3.0, 4.2, 4.5})
    for (double between : {0.1, 0.25, 0.5, 1.0})
      for (double spread : {0.05, 0.1, 0.2, 0.3, 0.7}) all.push_back(caseOf({people, middle, spread, each, between}, true));
  return all;
}

}  // namespace quantspot::statistics::test
