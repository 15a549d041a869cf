// Prints the table of docs/study-analysis.md: how often each interval of level 0.95 holds the truth. Usage: quantspot_bench_coverage
// [mixed|others]; without a word all of it, which takes a quarter of an hour.
#include "tests/study/coverage_cases.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace quantspot::statistics::test;

int main(int count, char** arguments) {
  const auto asked = [&](const char* part) { return count < 2 || !std::strcmp(arguments[1], part); };
  std::vector<CoverageCase> cases;
  if (asked("others")) cases = coverageCases();
  if (asked("mixed"))
    for (CoverageCase& mixed : longMixedCases()) cases.push_back(std::move(mixed));
  std::puts("| interval | setting | coverage | ± (simulation) |\n|---|---|---|---|");
  for (const CoverageCase& row : cases) {
    const int studies = std::max(row.studies, row.studies > 0 && row.figure.find("mixed") == std::string::npos ? 10000 : row.studies);
    const double share = row.share(studies);
    std::printf("| %s | %s | %.4f | ", row.figure.c_str(), row.setting.c_str(), share);
    if (studies == 0) std::puts("exact |");
    else std::printf("%.4f |\n", std::sqrt(share * (1 - share) / studies));
    std::fflush(stdout);
  }
}
