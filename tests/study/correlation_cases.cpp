// Rank correlations, over pictures that differ in as many ways as metrics and detection rates do.
#include "study/statistics/correlation.h"
#include "tests/study/coverage_cases.h"
#include "tests/study/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <tuple>

namespace quantspot::statistics::test {
namespace {

struct Points {
  std::vector<double> a, b;
};

double shareOf(double logit) { return 1 / (1 + std::exp(-logit)); }

Points drawn(Random& random, Joint joint, double linear, int count) {
  Points points;
  const double rest = std::sqrt(1 - linear * linear);
  for (int i = 0; i < count; ++i) {
    double a = normalDraw(random), b = linear * a + rest * normalDraw(random);
    switch (joint) {
      case Joint::Normal: break;
      case Joint::Heavy: {   // Student's t with 3 degrees of freedom: both sides share what makes them large
        double squares = 0;
        for (int k = 0; k < 3; ++k) squares += std::pow(normalDraw(random), 2) / 3;
        a /= std::sqrt(squares), b /= std::sqrt(squares);
        break;
      }
      case Joint::Fan: b = linear * a + (b - linear * a) * std::exp(a / 2); break;
      case Joint::Rates: b = binomialDraw(random, 24, shareOf(1.5 * b - 1)); break;
      case Joint::FewTrials: b = binomialDraw(random, 5, shareOf(3 * b)); break;
      case Joint::Steps: a = std::floor(2.5 * a), b = std::floor(1.2 * b + 0.3); break;
      case Joint::Strays: if (random.uniform() < 0.1) b = normalDraw(random);
    }
    points.a.push_back(a), points.b.push_back(b);
  }
  return points;
}

Correlation of(bool ranks, const Points& points) { return ranks ? spearman(points.a, points.b) : kendall(points.a, points.b); }

// Mean ranks, from 0 to 1.
std::vector<double> grades(const std::vector<double>& values) {
  std::vector<double> sorted = values, found;
  std::sort(sorted.begin(), sorted.end());
  for (double value : values) {
    const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), value);
    found.push_back(static_cast<double>((from - sorted.begin()) + (to - sorted.begin())) / (2.0 * static_cast<double>(values.size())));
  }
  return found;
}

// Over 400,000 points; for Kendall's two neighbours each are a pair.
double trueCorrelation(bool ranks, Joint joint, double linear) {
  constexpr int kPoints = 400000;
  Random random(11);
  const Points points = drawn(random, joint, linear, kPoints);
  double both = 0, a = 0, b = 0;
  if (ranks) {
    const std::vector<double> x = grades(points.a), y = grades(points.b);
    for (std::size_t i = 0; i < kPoints; ++i) both += (x[i] - 0.5) * (y[i] - 0.5), a += (x[i] - 0.5) * (x[i] - 0.5), b += (y[i] - 0.5) * (y[i] - 0.5);
  } else {
    for (std::size_t step : {1, 2, 3, 5, 8})
      for (std::size_t i = step; i < kPoints; ++i) {
        const double x = points.a[i] - points.a[i - step], y = points.b[i] - points.b[i - step];
        both += (x * y > 0) - (x * y < 0), a += x != 0, b += y != 0;
      }
  }
  return both / std::sqrt(a * b);
}

double truthOf(bool ranks, Joint joint, double linear) {
  static std::map<std::tuple<bool, Joint, double>, double> known;
  const auto [found, added] = known.try_emplace({ranks, joint, linear}, 0.0);
  if (added) found->second = trueCorrelation(ranks, joint, linear);
  return found->second;
}

}  // namespace

std::string describe(const CorrelationSetting& s) {
  static const char* const kNames[] = {"normal", "heavy tails", "fanning out", "rates of 24 trials", "rates of 5 trials", "steps on both sides",
                                       "one picture in ten unrelated"};
  char line[120];
  std::snprintf(line, sizeof line, "%d pictures, %s, r = %.2f", s.pictures, kNames[static_cast<int>(s.joint)], s.linear);
  return line;
}

double correlationShare(const CorrelationSetting& s, int studies, std::uint64_t seed) {
  Random random(seed);
  const double truth = truthOf(s.ranks, s.joint, s.linear);
  return covered(studies, [&] {
    for (;;) try {
        return holds(of(s.ranks, drawn(random, s.joint, s.linear, s.pictures)).interval, truth);
      } catch (const std::invalid_argument&) {   // one side constant
      }
  });
}

std::vector<CorrelationSetting> correlationGrid(int pictures) {
  std::vector<CorrelationSetting> all;
  for (bool ranks : {true, false})
    for (Joint joint : {Joint::Normal, Joint::Heavy, Joint::Fan, Joint::Rates, Joint::FewTrials, Joint::Steps, Joint::Strays})
      for (double linear : {0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.97, 0.99}) all.push_back({ranks, joint, linear, pictures});
  return all;
}

std::vector<CoverageCase> correlationCases() {
  std::vector<CoverageCase> all;
  const auto add = [&](const CorrelationSetting& s) {
    all.push_back({s.ranks ? "correlation, Spearman" : "correlation, Kendall", describe(s), true, 2500,
                   [s](int studies) { return correlationShare(s, studies, 43); }});
  };
  for (bool ranks : {true, false}) {
    for (double linear : {0.0, 0.8, 0.95, 0.99})
      for (int pictures : {6, 10, 20, 60}) add({ranks, Joint::Normal, linear, pictures});
    for (Joint joint : {Joint::Fan, Joint::Rates, Joint::FewTrials, Joint::Steps})
      for (int pictures : {10, 40}) add({ranks, joint, 0.9, pictures});
    add({ranks, Joint::Heavy, 0.95, 15});
    add({ranks, Joint::Heavy, 0.6, 60});
    add({ranks, Joint::Normal, 0.97, 120});
  }
  return all;
}

}  // namespace quantspot::statistics::test
