#include "tests/study/coverage_cases.h"

#include "study/statistics/bradley_terry.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/detection.h"
#include "study/statistics/mos.h"
#include "study/statistics/plackett_luce.h"
#include "study/statistics/sensitivity.h"
#include "tests/study/draws.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace quantspot::statistics::test {
namespace {

template <class... Values>
std::string text(const char* pattern, Values... values) {
  char line[160];
  std::snprintf(line, sizeof line, pattern, values...);
  return line;
}

std::vector<double> outcomes(int n, double p) {
  std::vector<double> shares;
  for (int k = 0; k <= n; ++k)
    shares.push_back(std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) + k * std::log(p)
                              + (n - k) * std::log1p(-p)));
  return shares;
}

// Coverage at each rate of a grid, summed over all outcomes of n trials.
std::vector<double> enumerated(int n, double from, double to, const std::function<Interval(int)>& interval,
                               const std::function<double(double)>& truth) {
  std::vector<Interval> intervals;
  for (int k = 0; k <= n; ++k) intervals.push_back(interval(k));
  std::vector<double> found;
  for (int step = 0; step <= 160; ++step) {
    const double p = from + (to - from) * step / 160, at = truth(p);
    const std::vector<double> shares = outcomes(n, p);
    double share = 0;
    for (int k = 0; k <= n; ++k) share += holds(intervals[static_cast<std::size_t>(k)], at) ? shares[static_cast<std::size_t>(k)] : 0;
    found.push_back(share);
  }
  return found;
}

double least(const std::vector<double>& shares) { return *std::min_element(shares.begin(), shares.end()); }
double mean(const std::vector<double>& shares) {
  double sum = 0;
  for (double share : shares) sum += share;
  return sum / static_cast<double>(shares.size());
}

void rates(std::vector<CoverageCase>& all) {
  const auto self = [](double p) { return p; };
  for (int n : {24, 120, 480}) {
    all.push_back({"rate, Clopper–Pearson", text("%d trials, least over rates 0.05–0.95", n), true, 0,
                   [=](int) { return least(enumerated(n, 0.05, 0.95, [=](int k) { return clopperPearson(k, n); }, self)); }});
    all.push_back({"rate, Wilson", text("%d trials, mean over rates 0.05–0.95", n), false, 0,
                   [=](int) { return mean(enumerated(n, 0.05, 0.95, [=](int k) { return wilson(k, n); }, self)); }});
  }
}

void detections(std::vector<CoverageCase>& all) {
  for (int n : {5, 30, 144})
    all.push_back({"detection pooled over kinds", text("%d trials of spot, least over rates 0.25–1", n), true, 0, [=](int) {
      return least(enumerated(n, 0.25, 1 - 1e-9, [=](int k) { return pooledDetection({{k, n, 0.25}}).interval; },
                              [](double p) { return (p - 0.25) / 0.75; }));
    }});
  for (const auto& [spots, pairs] : {std::pair{5, 5}, std::pair{20, 10}, std::pair{60, 40}})
    all.push_back({"detection pooled over kinds", text("%d trials of spot and %d of ABX, least over detections 0–0.98", spots, pairs), true,
                   1,   // a sum, but not exact
                   [spots = spots, pairs = pairs](int) {
      double worst = 1;
      for (int step = 0; step < 50; ++step) {
        const double seen = step / 50.0;
        const auto spot = outcomes(spots, 0.25 + 0.75 * seen), abx = outcomes(pairs, 0.5 + 0.5 * seen);
        double share = 0;
        for (int k = 0; k <= spots; ++k)
          for (int j = 0; j <= pairs; ++j)
            if (holds(pooledDetection({{k, spots, 0.25}, {j, pairs, 0.5}}).interval, seen))
              share += spot[static_cast<std::size_t>(k)] * abx[static_cast<std::size_t>(j)];
        worst = std::min(worst, share);
      }
      return worst;
    }});
}

void dprimes(std::vector<CoverageCase>& all) {
  struct Kind {
    const char* name;
    Task task;
    int m;
  };
  for (const Kind& kind : {Kind{"2AFC", Task::Mafc, 2}, Kind{"4AFC", Task::Mafc, 4}, Kind{"ABX differencing", Task::AbxDifferencing, 2},
                           Kind{"ABX independent", Task::AbxIndependent, 2}, Kind{"oddity", Task::Oddity, 3}})
    for (int n : {5, 60})
      all.push_back({"d′, " + std::string(kind.name), text("%d trials, least over rates from chance to 0.95", n), true, 0, [=](int) {
        return least(enumerated(n, chanceRate(kind.task, kind.m) + 1e-6, 0.95, [&](int k) { return dprime(kind.task, k, n, kind.m).interval; },
                                [&](double p) { return dprimeFromRate(kind.task, p, kind.m); }));
      }});
  for (bool differencing : {true, false})
    for (const auto& [n, hit, alarm] : {std::tuple{5, 0.5, 0.1}, std::tuple{12, 0.6, 0.5}, std::tuple{20, 0.5, 0.4}, std::tuple{20, 0.4, 0.4},
                                        std::tuple{40, 0.5, 0.3}, std::tuple{40, 0.85, 0.2}})
      all.push_back({std::string("d′, same–different, ") + (differencing ? "differencing" : "independent"),
                     text("%d of each, hits %.2f, false alarms %.2f", n, hit, alarm), true, 0, [=, n = n, hit = hit, alarm = alarm](int) {
        const auto hits = outcomes(n, hit), alarms = outcomes(n, alarm);
        const double truth = hit > alarm ? sameDifferentDprime(differencing, hit, alarm) : 0;
        double share = 0;
        for (int h = 0; h <= n; ++h)
          for (int f = 0; f <= n; ++f) {
            const double weight = hits[static_cast<std::size_t>(h)] * alarms[static_cast<std::size_t>(f)];
            if (weight > 1e-9 && holds(sameDifferent(differencing, h, n, f, n).interval, truth)) share += weight;
          }
        return share;
      }});
}

std::vector<PairCounts> drawnPairs(Random& random, const std::vector<double>& truth, int trials, bool ties) {
  std::vector<PairCounts> pairs;
  for (std::size_t i = 0; i < truth.size(); ++i)
    for (std::size_t j = 0; j < truth.size(); ++j) {
      if (i == j) continue;
      const double first = std::exp(truth[i] + (ties ? 0.2 : 0)), second = std::exp(truth[j]);
      const double tie = ties ? 0.6 * std::sqrt(std::exp(truth[i] + truth[j])) : 0;
      PairCounts counts{i, j, 0, 0, 0};
      for (int k = 0; k < trials; ++k) {
        const double at = random.uniform() * (first + second + tie);
        ++(at < first ? counts.first_wins : at < first + second ? counts.second_wins : counts.ties);
      }
      pairs.push_back(counts);
    }
  return pairs;
}

void preferences(std::vector<CoverageCase>& all) {
  const std::vector<double> truth{0, 0.5, -0.5, 0.8};
  for (int trials : {6, 20})
    for (bool ties : {false, true})
      for (bool reduced : {false, true})
        all.push_back({std::string("Bradley–Terry, ") + (ties ? "ties and order" : "plain") + (reduced ? ", bias-reduced" : ""),
                       text("4 variants, %d answers per ordered pair", trials), reduced && trials < 10, 3000, [=](int studies) {
          Random random(4);
          double share = 0;
          for (int study = 0; study < studies; ++study) {
            const Abilities fit =
                bradleyTerry(4, drawnPairs(random, truth, trials, ties), {.ties = ties, .order_effect = ties, .level = 0.95}, reduced);
            for (std::size_t i = 1; i < 4; ++i) share += holds(fit.items[i].interval, truth[i]) / (3.0 * studies);
          }
          return share;
        }});
  for (int people : {30, 80})
    all.push_back({"Plackett–Luce", text("4 variants, %d rankings", people), false, 3000, [=](int studies) {
      Random random(45);
      double share = 0;
      for (int i = 0; i < studies; ++i) {
        std::vector<std::vector<std::size_t>> rankings;
        for (int k = 0; k < people; ++k) {
          std::vector<std::pair<double, std::size_t>> order;
          for (std::size_t item = 0; item < 4; ++item)
            order.push_back({-truth[item] + std::log(-std::log(std::max(1e-300, random.uniform()))), item});
          std::sort(order.begin(), order.end());
          rankings.push_back({order[0].second, order[1].second, order[2].second, order[3].second});
        }
        const Abilities fit = plackettLuce(4, rankings);
        for (std::size_t item = 1; item < 4; ++item) share += holds(fit.items[item].interval, truth[item]) / (3.0 * studies);
      }
      return share;
    }});
}

void opinions(std::vector<CoverageCase>& all) {
  for (const auto& [people, middle, spread] : {std::tuple{2, 3.4, 0.9}, std::tuple{3, 4.5, 1.3}, std::tuple{3, 4.8, 0.3}, std::tuple{5, 4.8, 0.6},
                                               std::tuple{8, 3.4, 0.9}, std::tuple{24, 3.4, 0.9}, std::tuple{24, 4.8, 0.6}})
    all.push_back({"mean opinion", text("%d people, opinions 1 to 5 about %.1f, spread %.1f", people, middle, spread), true, 8000,
                   [people = people, middle = middle, spread = spread](int studies) {
      const auto opinion = [=](Random& random) { return std::clamp(std::round(middle + spread * normalDraw(random)), 1.0, 5.0); };
      double truth = 0;   // mean of the rounded ones
      for (int score = 1; score <= 5; ++score) {
        const double low = score == 1 ? -1e9 : score - 0.5, high = score == 5 ? 1e9 : score + 0.5;
        truth += score * (normalCdf((high - middle) / spread) - normalCdf((low - middle) / spread));
      }
      Random random(42);
      return covered(studies, [&] {
        Ratings ratings;
        for (int person = 0; person < people; ++person) ratings.push_back({opinion(random)});
        return holds(opinionInterval(mos(ratings)[0], 1.0 / 12, {1, 5}), truth);
      });
    }});
}

// Held at every number of trials up to 400 at once: which counts exclude the truth is looked up.
void sequences(std::vector<CoverageCase>& all) {
  constexpr int kLongest = 400;
  for (double rate : {0.25, 0.5, 0.8})
    all.push_back({"confidence sequence", text("rate %.2f, at all of 400 trials at once", rate), true, 10000, [=](int studies) {
      std::vector<int> low(kLongest + 1, -1), high(kLongest + 1);   // most right with an interval below, fewest with one above
      for (int n = 1, k = 0; n <= kLongest; ++n) {
        while (k <= n && confidenceSequence(k, n).low <= rate) ++k;
        high[static_cast<std::size_t>(n)] = k;
      }
      for (int n = 1, k = -1; n <= kLongest; ++n) {
        while (k < n && confidenceSequence(k + 1, n).high < rate) ++k;
        low[static_cast<std::size_t>(n)] = k;
      }
      Random random(7);
      return covered(studies, [&] {
        int right = 0;
        for (std::size_t n = 1; n <= kLongest; ++n) {
          right += random.uniform() < rate;
          if (right >= high[n] || right <= low[n]) return false;
        }
        return true;
      });
    }});
}

}  // namespace

std::vector<CoverageCase> coverageCases() {
  std::vector<CoverageCase> all;
  rates(all);
  detections(all);
  dprimes(all);
  preferences(all);
  opinions(all);
  sequences(all);
  return all;
}

}  // namespace quantspot::statistics::test
