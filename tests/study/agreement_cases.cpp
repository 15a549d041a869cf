// Krippendorff's α. The truth is known by how answers are drawn: whoever does not see what a thing is guesses by how common categories are.
#include "study/statistics/krippendorff.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace quantspot::statistics::test {
namespace {

struct Setting {
  int people, things, categories;
  double alpha;
  bool skewed;      // each category half as common as the one before
  double missing;   // share of ratings that are not there
  bool clear_cut;   // a thing is seen by everybody or by nobody; else each person sees it or not
};

Ratings drawn(const Setting& s, Random& random) {
  std::vector<double> weights;
  for (int k = 0; k < s.categories; ++k) weights.push_back(s.skewed ? std::pow(0.5, k) : 1);
  double all = 0;
  for (double weight : weights) all += weight;
  const auto guess = [&] {
    double at = random.uniform() * all;
    std::size_t k = 0;
    while (k + 1 < weights.size() && at >= weights[k]) at -= weights[k++];
    return static_cast<double>(k);
  };
  Ratings ratings(static_cast<std::size_t>(s.people), std::vector<double>(static_cast<std::size_t>(s.things)));
  for (std::size_t thing = 0; thing < static_cast<std::size_t>(s.things); ++thing) {
    const double truth = guess();
    const bool seen_by_all = random.uniform() < s.alpha;
    int given = 0;
    do {   // until two people rated it
      given = 0;
      for (auto& row : ratings) {   // two see it with probability √α each: α
        const bool sees = s.clear_cut ? seen_by_all : random.uniform() < std::sqrt(s.alpha), missing = random.uniform() < s.missing;
        row[thing] = missing ? std::numeric_limits<double>::quiet_NaN() : sees ? truth : guess();
        given += !missing;
      }
    } while (given < 2);
  }
  return ratings;
}

// Opinions from 1 to 5 about things of which each has a quality; spread: of a person's noise.
Ratings opinions(Random& random, int people, int things, double spread) {
  Ratings ratings(static_cast<std::size_t>(people), std::vector<double>(static_cast<std::size_t>(things)));
  for (std::size_t thing = 0; thing < static_cast<std::size_t>(things); ++thing) {
    const double quality = normalDraw(random);
    for (auto& row : ratings) row[thing] = std::clamp(std::round(3 + quality + spread * normalDraw(random)), 1.0, 5.0);
  }
  return ratings;
}

// Studies without an interval (all answers but one thing's alike) are drawn again.
bool studyHolds(const Setting& s, Random& random) {
  for (;;) {
    const Ratings ratings = drawn(s, random);
    try {
      if (const auto interval = krippendorffInterval(ratings, Measurement::Nominal)) return holds(*interval, s.alpha);
    } catch (const std::invalid_argument&) {   // every rating is the same
    }
  }
}

CoverageCase caseOf(const Setting& s, int studies, bool conservative) {
  char line[160];
  std::snprintf(line, sizeof line, "%d things, %d people, %d %scategories, alpha %.1f%s%s", s.things, s.people, s.categories,
                s.skewed ? "unequal " : "", s.alpha, s.missing > 0 ? ", 30 % missing" : "", s.clear_cut ? ", all or nothing" : "");
  return {"Krippendorff's α, nominal", line, conservative, studies, [s](int count) {
    Random random(47);
    return covered(count, [&] { return studyHolds(s, random); });
  }};
}

}  // namespace

std::vector<CoverageCase> agreementCases() {
  std::vector<CoverageCase> all;
  for (const auto& [things, people, spread] : {std::tuple{30, 12, 0.5}, std::tuple{30, 4, 1.5}, std::tuple{60, 4, 1.5}})
    for (Measurement measurement : {Measurement::Ordinal, Measurement::Nominal}) {
      char line[80];
      std::snprintf(line, sizeof line, "opinions: %d things, %d people, spread %.1f", things, people, spread);
      all.push_back({std::string("Krippendorff's α, ") + (measurement == Measurement::Ordinal ? "ordinal" : "nominal"), line, false, 3000,
                     [=, things = things, people = people, spread = spread](int studies) {
        Random many(5), random(6);
        const double truth = krippendorffAlpha(opinions(many, people, 20000, spread), measurement);
        return covered(studies, [&] { return holds(krippendorffInterval(opinions(random, people, things, spread), measurement).value(), truth); });
      }});
    }
  for (const Setting& s : {Setting{2, 30, 3, 0.4, false, 0, false}, Setting{5, 30, 2, 0.4, true, 0, false}, Setting{12, 30, 5, 0.2, false, 0, false},
                           Setting{20, 30, 7, 0.6, true, 0, false}, Setting{10, 60, 3, 0.4, false, 0, true}, Setting{20, 60, 5, 0.6, true, 0, true}})
    all.push_back(caseOf(s, 3000, false));
  for (const Setting& s : {Setting{3, 30, 5, 0.6, true, 0.3, false}, Setting{5, 60, 3, 0.8, true, 0.3, false}, Setting{2, 30, 2, 0.9, false, 0, false}, Setting{3, 30, 5, 0.9, true, 0, false}, Setting{20, 30, 2, 0.9, false, 0, true}})
    all.push_back(caseOf(s, 2000, true));   // few things are seen otherwise by somebody: counts are steps
  return all;
}

std::vector<CoverageCase> agreementGrid(int things, double alpha, bool clear_cut) {
  std::vector<CoverageCase> all;
  for (int people : {2, 3, 5, 10, 20})
    for (int categories : {2, 3, 5, 7})
      for (bool skewed : {false, true})
        for (double missing : {0.0, 0.3})
          if (missing == 0 || people > 2) all.push_back(caseOf({people, things, categories, alpha, skewed, missing, clear_cut}, 2000, false));
  return all;
}

}  // namespace quantspot::statistics::test
