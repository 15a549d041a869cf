// Prints the tables of docs/study-analysis.md: how often each interval of level 0.95 holds the truth. Usage: quantspot_bench_coverage
// [mixed|small|large|others|opinions|agreement|correlations|curves]; without a word all of it, which takes hours. agreement THINGS: only those with so many
// things.
#include "tests/study/coverage_cases.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace quantspot::statistics::test;

namespace {

// Every seventh setting with so many things: where an interval is given in a fifth of the studies or more, how often it holds; those in which it
// seemed to hold in less than 95 % once more with 10,000 studies and another seed.
void agreement(int only) {
  std::puts("| things | measurement | settings | without | mean | least | most | below 94 % |\n|---|---|---|---|---|---|---|---|");
  for (int things : {30, 60, 120, 500})
    for (const char* measurement : {"nominal", "ordinal", "interval"}) {
      if (only > 0 && things != only) continue;
      int tried = 0, without = 0, below = 0;
      double least = 1, most = 0, sum = 0;
      std::string lowest;
      const auto grid = agreementGrid(things);
      for (std::size_t i = 0; i < grid.size(); i += things > 200 ? 35 : 7) {
        if (grid[i].measurement != quantspot::statistics::measurementFromName(measurement)) continue;
        AgreementShares shares = agreementShares(grid[i], things > 200 ? 1000 : 2000, 100 + i);
        ++tried;
        if (shares.given < 0.2 && ++without) continue;
        if (shares.covered < 0.95) shares = agreementShares(grid[i], 10000, 7 + i);
        sum += shares.covered;
        most = std::max(most, shares.covered);
        below += shares.covered < 0.94;
        if (shares.covered < least) least = shares.covered, lowest = describe(grid[i]);
      }
      std::printf("| %d | %s | %d | %d | %.1f | %.1f | %.1f | %d | %s\n", things, measurement, tried, without,
                  100 * sum / (tried - without), 100 * least, 100 * most, below, lowest.c_str());
      std::fflush(stdout);
    }
}

// All joint distributions but the strays, which are told apart: nothing in few pictures warns of them.
void correlations() {
  std::puts("| pictures | figure | mean | least | most | below 94 % | one in ten unrelated: least |\n|---|---|---|---|---|---|---|");
  for (int pictures : {5, 6, 8, 10, 15, 20, 40, 60, 120})
    for (bool ranks : {true, false}) {
      double sum = 0, least = 1, most = 0, strays = 1;
      int tried = 0, below = 0;
      std::string lowest;
      for (const CorrelationSetting& setting : correlationGrid(pictures)) {
        if (setting.ranks != ranks) continue;
        const double share = correlationShare(setting, 4000, 12);
        if (setting.joint == Joint::Strays) {
          strays = std::min(strays, share);
          continue;
        }
        ++tried;
        sum += share;
        most = std::max(most, share);
        below += share < 0.94;
        if (share < least) least = share, lowest = describe(setting);
      }
      std::printf("| %d | %s | %.1f | %.1f | %.1f | %d of %d | %.1f | %s\n", pictures, ranks ? "Spearman" : "Kendall", 100 * sum / tried, 100 * least,
                  100 * most, below, tried, 100 * strays, lowest.c_str());
      std::fflush(stdout);
    }
}

// Slope, threshold and JND of curves over every setting with so many levels and trials, over all studies; steps, and what holds without them, beside.
void curves() {
  std::puts("| levels | trials | settings | slope: least, mean, most % | threshold | JND | below 94 | no steps: slope | threshold | JND |\n"
            "|---|---|---|---|---|---|---|---|---|---|");
  for (int levels : {2, 3, 4, 6})
    for (int trials : {5, 20, 60, 120}) {
      double least[6] = {1, 1, 1, 1, 1, 1}, most[6] = {}, sum[6] = {};
      int below = 0, often = 0;
      std::string lowest;
      const auto grid = curveGrid(levels, trials);
      for (std::size_t i = 0; i < grid.size(); ++i) {
        CurveShares s = curveShares(grid[i], 2000, 100 + i);
        if (std::min(s.slope, s.threshold) < 0.95) s = curveShares(grid[i], 10000, 7 + i);
        const double shares[] = {s.slope, s.threshold, s.jnd, s.slope_else, s.threshold_else, s.jnd_else};
        if (std::min(s.slope, s.threshold) < std::min(least[0], least[1])) lowest = describe(grid[i]);
        below += std::min(s.slope, s.threshold) < 0.94;
        often += s.steps <= 0.5;
        for (int k = 0; k < 6; ++k) {
          if (k > 2 && s.steps > 0.5) continue;
          least[k] = std::min(least[k], shares[k]), most[k] = std::max(most[k], shares[k]), sum[k] += shares[k];
        }
      }
      std::printf("| %d | %d | %zu |", levels, trials, grid.size());
      for (int k = 0; k < 6; ++k) {
        if (k == 3) std::printf(" %d |", below);
        std::printf(" %.1f %.1f %.1f |", 100 * least[k], 100 * sum[k] / (k < 3 ? static_cast<double>(grid.size()) : often), 100 * most[k]);
      }
      std::printf(" %d settings: at most half steps; %s\n", often, lowest.c_str());
      std::fflush(stdout);
    }
}

// Of every number of people and of opinions each: least, mean and most over where opinions lie, how far they and people spread.
void opinions() {
  std::puts("| people | opinions each | settings | least | mean | most | below 94 % |\n|---|---|---|---|---|---|---|");
  for (int people : {2, 3, 4, 5, 8, 12, 24, 60, 300})
    for (int each : {1, 4, 10}) {
      double least = 1, most = 0, sum = 0;
      int below = 0;
      std::string lowest;
      const auto grid = opinionGrid(people, each);
      for (const CoverageCase& setting : grid) {
        const double share = setting.share(people > 100 ? 2000 : 4000);
        sum += share;
        most = std::max(most, share);
        below += share < 0.94;
        if (share < least) least = share, lowest = setting.setting;
      }
      std::printf("| %d | %d | %zu | %.1f | %.1f | %.1f | %d | %s\n", people, each, grid.size(), 100 * least, 100 * sum / static_cast<double>(grid.size()),
                  100 * most, below, lowest.c_str());
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
  if (asked("others")) take(coverageCases()), take(manyAnswersCases()), take(scoreCases()), take(curveCases()), take(correlationCases()), take(agreementCases());
  if (asked("mixed")) take(longMixedCases());
  if (asked("small")) take(smallMixedCases());
  if (asked("large")) take(largeMixedCases());
  if (!cases.empty()) std::puts("| interval | setting | coverage | ± (simulation) |\n|---|---|---|---|");
  for (const CoverageCase& row : cases) {
    const int studies = std::max(row.studies, row.studies > 0 && row.figure.find("mixed") == std::string::npos ? 10000 : row.studies);
    const double share = row.share(studies);
    std::printf("| %s | %s | %.4f | ", row.figure.c_str(), row.setting.c_str(), share);
    if (studies == 0) std::puts("exact |");
    else std::printf("%.4f |\n", std::sqrt(share * (1 - share) / studies));
    std::fflush(stdout);
  }
  if (asked("correlations")) correlations();
  if (asked("opinions")) opinions();
  if (asked("agreement")) agreement(count > 2 ? std::atoi(arguments[2]) : 0);
  if (asked("curves")) curves();
}
