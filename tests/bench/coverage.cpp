// Prints the tables of docs/study-analysis.md: how often each interval of level 0.95 holds the truth. Usage: quantspot_bench_coverage
// [mixed|small|others|agreement]; without a word all of it, which takes half an hour.
#include "tests/study/coverage_cases.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace quantspot::statistics::test;

namespace {

// Of all settings with so many things and such an α: the mean, the least and the most, and how many are outside of 94 to 96 %.
void agreement() {
  std::puts("| seen by | things | alpha | mean | least | most | below 94 % | above 96 % | settings |\n|---|---|---|---|---|---|---|---|---|");
  for (bool clear_cut : {false, true})
    for (int things : {30, 60, 100})
      for (double alpha : {0.0, 0.2, 0.4, 0.6, 0.8, 0.9}) {
        if (clear_cut && alpha == 0) continue;
        std::vector<double> shares;
        for (const CoverageCase& row : agreementGrid(things, alpha, clear_cut)) shares.push_back(row.share(row.studies) * 100);
        std::sort(shares.begin(), shares.end());
        double sum = 0;
        for (double share : shares) sum += share;
        const double noise = 2 * std::sqrt(95.0 * 5 / 2000);   // twice the simulation's own error
        std::printf("| %s | %d | %.1f | %.1f | %.1f | %.1f | %td | %td | %zu |\n", clear_cut ? "all or nobody" : "each", things, alpha,
                    sum / static_cast<double>(shares.size()), shares.front(), shares.back(),
                    std::lower_bound(shares.begin(), shares.end(), 94 - noise) - shares.begin(),
                    shares.end() - std::upper_bound(shares.begin(), shares.end(), 96 + noise), shares.size());
        std::fflush(stdout);
      }
}

}  // namespace

int main(int count, char** arguments) {
  const auto asked = [&](const char* part) { return count < 2 || !std::strcmp(arguments[1], part); };
  std::vector<CoverageCase> cases;
  const auto take = [&](std::vector<CoverageCase> more) {
    for (CoverageCase& row : more) cases.push_back(std::move(row));
  };
  if (asked("others")) take(coverageCases()), take(agreementCases());
  if (asked("mixed")) take(longMixedCases());
  if (asked("small")) take(smallMixedCases());
  if (!cases.empty()) std::puts("| interval | setting | coverage | ± (simulation) |\n|---|---|---|---|");
  for (const CoverageCase& row : cases) {
    const int studies = std::max(row.studies, row.studies > 0 && row.figure.find("mixed") == std::string::npos ? 10000 : row.studies);
    const double share = row.share(studies);
    std::printf("| %s | %s | %.4f | ", row.figure.c_str(), row.setting.c_str(), share);
    if (studies == 0) std::puts("exact |");
    else std::printf("%.4f |\n", std::sqrt(share * (1 - share) / studies));
    std::fflush(stdout);
  }
  if (asked("agreement")) agreement();
}
