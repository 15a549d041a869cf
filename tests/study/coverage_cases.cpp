#include "tests/study/coverage_cases.h"

#include "study/statistics/bradley_terry.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/detection.h"
#include "study/statistics/plackett_luce.h"
#include "study/statistics/sensitivity.h"
#include "tests/study/draws.h"
#include "tests/study/enumerated.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace quantspot::statistics::test {
namespace {

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
      for (int step = 0; step < 50; ++step) worst = std::min(worst, pooledShare(spots, pairs, step / 50.0));
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
        return sameDifferentShare(differencing, n, hit, alarm);
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
  for (CoverageCase& opinion : opinionCases()) all.push_back(std::move(opinion));
  sequences(all);
  return all;
}

}  // namespace quantspot::statistics::test
