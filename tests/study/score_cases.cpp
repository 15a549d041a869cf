// The running score of one's own trials, and grades given while comparing.
#include "study/statistics/mos.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <vector>

namespace quantspot::statistics::test {
namespace {

// Tiles named right by somebody who knows them all in so many trials and guesses in the others: names are a random permutation.
int namedRight(Random& random, int tiles, double known) {
  if (random.uniform() < known) return tiles;
  std::vector<int> names(static_cast<std::size_t>(tiles));
  std::iota(names.begin(), names.end(), 0);
  for (std::size_t i = names.size(); i > 1; --i) std::swap(names[i - 1], names[static_cast<std::size_t>(random.uniform() * static_cast<double>(i))]);
  int right = 0;
  for (int k = 0; k < tiles; ++k) right += names[static_cast<std::size_t>(k)] == k;
  return right;
}

double gradeOf(double opinion) { return std::clamp(std::round(opinion), 1.0, 5.0); }

struct Grades {
  double reference, variant;
};

// Pictures differ by 0.3 or 0.8 about a middle, the variant is worse by so much, and each look adds a noise of its own.
Grades graded(Random& random, double middle, double spread, double worse, double noise) {
  const double quality = middle + spread * normalDraw(random);
  const double reference = gradeOf(quality + noise * normalDraw(random));
  return {reference, gradeOf(quality - worse + noise * normalDraw(random))};
}

Mos mosOf(const std::vector<double>& values) {
  Ratings ratings;
  for (double value : values) ratings.push_back({value});
  return mos(ratings)[0];
}

// Of few pictures at least the level, of many the level.
CoverageCase gradesCase(int pictures, double middle, double spread, double worse, double noise, bool change) {
  char line[160];
  std::snprintf(line, sizeof line, "%d pictures about %.1f, spread %.1f, worse by %.1f, noise %.1f", pictures, middle, spread, worse, noise);
  return {change ? "change of one's own grades" : "mean of one's own grades", line, pictures < 300, 4000, [=](int studies) {
    const auto value = [=](Random& random) {
      const Grades grades = graded(random, middle, spread, worse, noise);
      return change ? grades.variant - grades.reference : grades.variant;
    };
    Random many(8), random(9);
    double truth = 0;
    for (int i = 0; i < 200000; ++i) truth += value(many) / 200000;
    return covered(studies, [&] {
      std::vector<double> values;
      for (int i = 0; i < pictures; ++i) values.push_back(value(random));
      const Interval scale = change ? Interval{-4, 4} : Interval{1, 5};
      return holds(opinionInterval(mosOf(values), 1, scale), truth);
    });
  }};
}

}  // namespace

std::vector<CoverageCase> scoreCases() {
  std::vector<CoverageCase> all;
  for (const auto& [trials, tiles, known] :
       {std::tuple{3, 2, 0.0}, std::tuple{6, 4, 0.0}, std::tuple{12, 3, 0.5}, std::tuple{12, 4, 0.97}, std::tuple{40, 2, 0.0},
        std::tuple{40, 4, 0.5}, std::tuple{100, 2, 0.9}, std::tuple{100, 6, 0.5}}) {
    char line[120];
    std::snprintf(line, sizeof line, "%d trials of %d tiles, all known in %.0f %%, the others guessed", trials, tiles, 100 * known);
    all.push_back({"running score, every tile named", line, true, 10000, [=, trials = trials, tiles = tiles, known = known](int studies) {
      Random random(10);
      return covered(studies, [&] {
        int right = 0;
        for (int i = 0; i < trials; ++i) right += namedRight(random, tiles, known);
        return holds(clopperPearsonShare(static_cast<double>(right) / (trials * tiles), trials), known + (1 - known) / tiles);
      });
    }});
  }
  for (bool change : {false, true})
    for (const auto& [pictures, middle, spread, worse, noise] :
         {std::tuple{3, 4.5, 0.8, 1.0, 0.5}, std::tuple{5, 4.5, 0.8, 0.5, 0.0}, std::tuple{5, 4.0, 0.8, 0.5, 0.2}, std::tuple{10, 3.0, 0.8, 0.2, 0.5},
          std::tuple{20, 4.0, 0.3, 0.2, 0.5}, std::tuple{40, 3.0, 0.8, 0.5, 0.5}, std::tuple{300, 3.0, 0.8, 0.5, 0.5}})
      all.push_back(gradesCase(pictures, middle, spread, worse, noise, change));
  return all;
}

}  // namespace quantspot::statistics::test
