// The mixed model's interval. The rate of the average participant and prompt is the truth; chance only moves the scale on which it is given, so
// it is not varied: the same intervals result.
#include "study/statistics/mixed_logistic.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace quantspot::statistics::test {
namespace {

struct Setting {
  int people, trials;                              // crossed: so many prompts
  double people_variance, prompt_variance, rate;   // variances on the logit scale
  bool crossed;                                    // every participant sees the same prompts; else prompts are no part of the model
  int times = 1;                                   // how often, each
};

bool studyHolds(const Setting& s, Random& random) {
  const double truth = std::log(s.rate / (1 - s.rate));
  for (;;) {
    std::vector<double> prompts(static_cast<std::size_t>(s.trials));
    for (double& prompt : prompts) prompt = std::sqrt(s.prompt_variance) * normalDraw(random);
    std::vector<MixedRow> rows;
    for (std::size_t person = 0; person < static_cast<std::size_t>(s.people); ++person) {
      const double shift = truth + std::sqrt(s.people_variance) * normalDraw(random);
      for (int time = 0; time < s.times; ++time)
        for (std::size_t k = 0; k < prompts.size(); ++k)
          rows.push_back({{1}, person, s.crossed ? k : 0, random.uniform() < 1 / (1 + std::exp(-shift - prompts[k])), 0});
    }
    try {
      return holds(mixedLogistic(rows).fixed[0].interval, truth);
    } catch (const std::domain_error&) {   // everything right: such a study has no interval; one in a thousand at most here
    }
  }
}

CoverageCase caseOf(const Setting& s, int studies, bool conservative) {
  char line[160];
  if (s.crossed)
    std::snprintf(line, sizeof line, "%d people, %d prompts %d times, variances %.2f and %.2f, rate %.1f", s.people, s.trials, s.times,
                  s.people_variance, s.prompt_variance, s.rate);
  else std::snprintf(line, sizeof line, "%d people, %d trials each, variance %.2f, rate %.1f", s.people, s.trials, s.people_variance, s.rate);
  return {s.crossed ? "mixed model, people and prompts" : "mixed model, people", line, conservative, studies, [s](int count) {
    Random random(46);
    return covered(count, [&] { return studyHolds(s, random); });
  }};
}

}  // namespace

std::vector<CoverageCase> mixedCases() {
  return {caseOf({8, 10, 0, 0, 0.3, false}, 4000, false),   caseOf({8, 10, 1, 0, 0.6, false}, 4000, true),
          caseOf({8, 10, 0, 0, 0.9, false}, 4000, true),    caseOf({8, 30, 0.25, 0, 0.6, false}, 4000, false),
          caseOf({8, 60, 1, 0, 0.9, false}, 4000, false),   caseOf({20, 10, 1, 0, 0.9, false}, 4000, false),
          caseOf({20, 30, 0.25, 0, 0.6, false}, 4000, false), caseOf({40, 10, 0.25, 0, 0.3, false}, 3000, false),
          caseOf({2, 12, 0.25, 0, 0.6, false}, 2000, true), caseOf({3, 10, 0, 0, 0.9, false}, 2000, true),
          caseOf({4, 6, 1, 0, 0.6, false}, 2000, true),
          caseOf({4, 30, 1, 0, 0.6, false}, 3000, false),   caseOf({16, 2, 0, 0.5, 0.6, true, 3}, 1000, true),
          caseOf({24, 4, 1, 1, 0.4, true, 3}, 500, true),   caseOf({12, 3, 1, 1, 0.4, true, 2}, 600, true),
          caseOf({8, 10, 0.5, 0.25, 0.3, true}, 1500, true), caseOf({12, 12, 1, 1, 0.6, true}, 600, true)};
}

std::vector<CoverageCase> longMixedCases() {
  std::vector<CoverageCase> all;
  for (const auto& [people, trials] : {std::pair{8, 10}, std::pair{8, 30}, std::pair{8, 60}, std::pair{20, 10}, std::pair{20, 30}, std::pair{40, 10}})
    for (double variance : {0.0, 0.25, 1.0})
      for (double rate : {0.3, 0.6, 0.9})
        all.push_back(caseOf({people, trials, variance, 0, rate, false}, 4000, people * trials < 100 && rate > 0.8));
  for (const auto& [people, prompts] : {std::pair{8, 10}, std::pair{12, 12}, std::pair{20, 10}})
    for (const auto& [a, b] : {std::pair{0.0, 0.0}, std::pair{0.5, 0.25}, std::pair{1.0, 1.0}, std::pair{1.0, 0.0}, std::pair{0.0, 0.5}})
      for (double rate : {0.3, 0.9}) all.push_back(caseOf({people, prompts, a, b, rate, true}, 2000, true));
  return all;
}

std::vector<CoverageCase> smallMixedCases() {
  std::vector<CoverageCase> all;
  for (int people : {2, 3, 4, 6})
    for (int trials : {4, 12, 30})
      for (double variance : {0.0, 1.0})
        for (double rate : {0.3, 0.6, 0.9}) all.push_back(caseOf({people, trials, variance, 0, rate, false}, 2000, true));
  for (int people : {3, 6, 12, 24})
    for (const auto& [prompts, times] : {std::pair{2, 3}, std::pair{3, 2}, std::pair{4, 3}, std::pair{5, 2}, std::pair{5, 6}, std::pair{20, 1}})
      for (const auto& [a, b] : {std::pair{0.0, 0.0}, std::pair{1.0, 1.0}, std::pair{0.0, 0.5}})
        for (double rate : {0.4, 0.9}) all.push_back(caseOf({people, prompts, a, b, rate, true, times}, 1000, true));
  return all;
}

std::vector<CoverageCase> largeMixedCases() {
  std::vector<CoverageCase> all;
  for (const auto& [people, prompts] : {std::pair{20, 20}, std::pair{20, 40}, std::pair{40, 20}})
    for (const auto& [a, b] : {std::pair{1.0, 1.0}, std::pair{0.0, 0.5}, std::pair{0.25, 1.0}})
      for (double rate : {0.4, 0.9}) all.push_back(caseOf({people, prompts, a, b, rate, true}, 500, true));
  return all;
}

}  // namespace quantspot::statistics::test
