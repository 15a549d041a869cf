// How often the intervals of study/statistics hold the truth: exact sums where outcomes can be listed, simulated studies else. One list for the
// test and for the table in docs/study-analysis.md.
#pragma once

#include "study/statistics/krippendorff.h"

#include <cstdint>
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

std::vector<CoverageCase> coverageCases();      // rates, d′, preferences, rankings, opinions, sequences
std::vector<CoverageCase> opinionCases();       // the opinions of these alone
std::vector<CoverageCase> opinionGrid(int people, int each);   // so many opinions of each; about 2.5 to 4.9, spread 0.1 to 1.5: 72 or 100 settings
std::vector<CoverageCase> manyAnswersCases();   // what is wider than said for few answers comes to the level with many

enum class Common { Equal, Halves, FourInFive };   // of the values: each half as common as the one before; one four times as common as the rest
struct AgreementSetting {
  int people, things, values;
  Measurement measurement;
  Common common;
  double clear;      // share of things that everybody sees
  double seen;       // of the others: the chance that two people both see it
  double missing;    // share of ratings that are not there
};
struct AgreementShares {
  double covered;    // of the studies with an interval
  double given;      // of all
};
std::string describe(const AgreementSetting& setting);
double alphaOf(const AgreementSetting& setting);
AgreementShares agreementShares(const AgreementSetting& setting, int studies, std::uint64_t seed);
std::vector<AgreementSetting> agreementGrid(int things);   // people 2 to 24, values 2 to 5, α 0 to 0.9, missing 0 to 50 %: 3,600 settings
std::vector<CoverageCase> scoreCases();                    // the running score of one's own trials, one's own grades
std::vector<CoverageCase> agreementCases();                // Krippendorff's α

// How metrics and people may lie together: normal; Student's t with 3 degrees of freedom; wider on one side; detection rates of 24 and of 5
// trials; both sides in steps; normal but for a tenth of the pictures, which have nothing to do with one another.
enum class Joint { Normal, Heavy, Fan, Rates, FewTrials, Steps, Strays };
struct CorrelationSetting {
  bool ranks;        // Spearman's; else Kendall's
  Joint joint;
  double linear;     // correlation of what lies beneath
  int pictures;
};
std::string describe(const CorrelationSetting& setting);
double correlationShare(const CorrelationSetting& setting, int studies, std::uint64_t seed);
std::vector<CorrelationSetting> correlationGrid(int pictures);   // r of 0 to 0.99: 112 settings
std::vector<CoverageCase> correlationCases();

struct CurveSetting {
  std::vector<double> bits;   // the levels
  int trials;                 // at each
  double guess, lapse, slope, threshold;
};
struct CurveShares {          // of all studies
  double slope = 0, threshold = 0, jnd = 0, steps = 0;
  double slope_else = 0, threshold_else = 0, jnd_else = 0;   // of those that are no steps
};
std::string describe(const CurveSetting& setting);
CurveShares curveShares(const CurveSetting& setting, int studies, std::uint64_t seed);
std::vector<CurveSetting> curveGrid(int levels, int trials);   // 2, 3, 4 or 6 levels; half-way inside and near both ends
std::vector<CoverageCase> curveCases();                        // slope, threshold, just noticeable difference

std::vector<CoverageCase> mixedCases();      // the mixed model; bench: also settings that take minutes
std::vector<CoverageCase> longMixedCases();
std::vector<CoverageCase> smallMixedCases();   // two people, two prompts, four answers …
std::vector<CoverageCase> largeMixedCases();   // 20 or 40 people, 20 or 40 prompts

}  // namespace quantspot::statistics::test
