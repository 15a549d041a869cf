// How often the intervals of study/statistics hold the truth: exact sums where outcomes can be listed, simulated studies else. One list for the
// test and for the table in docs/study-analysis.md.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace quantspot::statistics::test {

struct CoverageCase {
  std::string figure, setting;
  bool conservative = false;          // at least the level is what is promised
  int studies = 0;                    // simulated for the test; 0: an exact sum
  std::function<double(int)> share;   // of so many studies, how many intervals of level 0.95 hold the truth
};

std::vector<CoverageCase> coverageCases();   // rates, d′, preferences, rankings, opinions, curves, correlations, sequences
std::vector<CoverageCase> agreementCases();  // Krippendorff's α
// Over 2 to 20 people, 2 to 7 categories, equal and unequal, with and without missing ratings; clear_cut: everybody sees a thing or nobody does.
std::vector<CoverageCase> agreementGrid(int things, double alpha, bool clear_cut);
std::vector<CoverageCase> mixedCases();      // the mixed model; bench: also settings that take minutes
std::vector<CoverageCase> longMixedCases();
std::vector<CoverageCase> smallMixedCases();   // two people, two prompts, four answers …

}  // namespace quantspot::statistics::test
