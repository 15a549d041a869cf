// Do the intervals that are not conservative by construction hold the truth as often as they say? Nominal ± 1 %, at sizes that studies have.
// Conservative by construction (at least the level, tested in statistics_simulation_test): Clopper and Pearson's, d′ that carries it over, and
// confidence sequences, which hold at every number of trials at once.
#include "study/statistics/correlation.h"
#include "study/statistics/mixed_logistic.h"
#include "study/statistics/mos.h"
#include "study/statistics/normal.h"
#include "study/statistics/plackett_luce.h"
#include "study/statistics/psychometric.h"
#include "study/statistics/random.h"
#include "study/statistics/sensitivity.h"
#include "tests/study/draws.h"
#include "tests/study/golden.h"

#include <functional>
#include <numbers>

using namespace quantspot::statistics;
using quantspot::statistics::test::binomialDraw;

namespace {

constexpr double kSlack = 0.01;

double normalDraw(Random& random) { return normalQuantile(std::min(1 - 1e-12, std::max(1e-12, random.uniform()))); }

bool holds(const Interval& interval, double truth) { return interval.low <= truth && truth <= interval.high; }

double covered(int studies, const std::function<bool()>& study) {
  int hits = 0;
  for (int i = 0; i < studies; ++i) hits += study();
  return static_cast<double>(hits) / studies;
}

QByteArray said(double share) { return QByteArray::number(share, 'f', 4); }

}  // namespace

class StatisticsCoverageTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void sameDifferent_data() {
    QTest::addColumn<bool>("differencing");
    QTest::addColumn<double>("hit");
    QTest::addColumn<double>("alarm");
    QTest::newRow("differencing, well seen") << true << 0.7 << 0.3;
    QTest::newRow("differencing, cautious") << true << 0.5 << 0.15;
    QTest::newRow("independent, well seen") << false << 0.7 << 0.3;
    QTest::newRow("independent, cautious") << false << 0.5 << 0.15;
  }
  void sameDifferent() {
    QFETCH(bool, differencing);
    QFETCH(double, hit);
    QFETCH(double, alarm);
    const double truth = sameDifferentDprime(differencing, hit, alarm);
    Random random(41);
    const double share = covered(6000, [&] {
      return holds(quantspot::statistics::sameDifferent(differencing, binomialDraw(random, 150, hit), 150, binomialDraw(random, 150, alarm), 150).interval, truth);
    });
    QVERIFY2(std::abs(share - 0.95) <= kSlack, said(share));
  }

  void meanOpinions() {
    Random random(42);
    const double share = covered(10000, [&] {
      Ratings ratings;
      for (int person = 0; person < 16; ++person) ratings.push_back({3 + 0.7 * normalDraw(random)});
      return holds(mos(ratings)[0].interval, 3);
    });
    QVERIFY2(std::abs(share - 0.95) <= kSlack, said(share));
  }

  void rankCorrelations() {
    Random random(43);
    constexpr double kLinear = 0.5;
    const double spearman_truth = 6 / std::numbers::pi * std::asin(kLinear / 2), kendall_truth = 2 / std::numbers::pi * std::asin(kLinear);
    int spearman_hits = 0, kendall_hits = 0;
    constexpr int kStudies = 6000;
    for (int i = 0; i < kStudies; ++i) {
      std::vector<double> a, b;
      for (int k = 0; k < 60; ++k) {
        a.push_back(normalDraw(random));
        b.push_back(kLinear * a.back() + std::sqrt(1 - kLinear * kLinear) * normalDraw(random));
      }
      spearman_hits += holds(spearman(a, b).interval, spearman_truth);
      kendall_hits += holds(kendall(a, b).interval, kendall_truth);
    }
    const double one = static_cast<double>(spearman_hits) / kStudies, two = static_cast<double>(kendall_hits) / kStudies;
    QVERIFY2(std::abs(one - 0.95) <= kSlack, "Spearman " + said(one));
    QVERIFY2(std::abs(two - 0.95) <= kSlack, "Kendall " + said(two));
  }

  void psychometricThresholdAndSlope() {
    Random random(44);
    const double threshold = 4, slope = -1.4;
    int at = 0, steep = 0;
    constexpr int kStudies = 4000;
    for (int i = 0; i < kStudies; ++i) {
      std::vector<Level> levels;
      for (const double bits : {2.0, 3.0, 4.0, 5.0, 6.0, 8.0})
        levels.push_back({bits, binomialDraw(random, 120, 0.25 + 0.75 / (1 + std::exp(-slope * (bits - threshold)))), 120});
      const Psychometric fit = fitPsychometric(levels);
      at += holds(fit.threshold.interval, threshold);
      steep += holds(fit.slope.interval, slope);
    }
    const double one = static_cast<double>(at) / kStudies, two = static_cast<double>(steep) / kStudies;
    QVERIFY2(std::abs(one - 0.95) <= kSlack, "threshold " + said(one));
    QVERIFY2(std::abs(two - 0.95) <= kSlack, "slope " + said(two));
  }

  void plackettLuceAbilities() {
    Random random(45);
    const double truth[] = {0, 0.5, -0.5, 0.8};
    double share = 0;
    constexpr int kStudies = 3000;
    for (int i = 0; i < kStudies; ++i) {
      std::vector<std::vector<std::size_t>> rankings;
      for (int k = 0; k < 80; ++k) {
        std::vector<std::pair<double, std::size_t>> order;
        for (std::size_t item = 0; item < 4; ++item) order.push_back({-truth[item] + std::log(-std::log(std::max(1e-300, random.uniform()))), item});
        std::sort(order.begin(), order.end());
        rankings.push_back({order[0].second, order[1].second, order[2].second, order[3].second});
      }
      const Abilities fit = plackettLuce(4, rankings);
      for (std::size_t item = 1; item < 4; ++item) share += holds(fit.items[item].interval, truth[item]) / (3.0 * kStudies);
    }
    QVERIFY2(std::abs(share - 0.95) <= kSlack, said(share));
  }

  // Wald's interval of a mixed model is known to be a little narrow while people are few: half a hundred of them bring it near its level.
  void mixedModelWithManyPeople() {
    Random random(46);
    constexpr int kStudies = 700;
    const double share = covered(kStudies, [&] {
      std::vector<MixedRow> rows;
      for (std::size_t person = 0; person < 50; ++person) {
        const double shift = normalDraw(random);
        for (int k = 0; k < 12; ++k) rows.push_back({{1}, person, 0, random.uniform() < 1 / (1 + std::exp(-0.4 - shift)), 0});
      }
      return holds(mixedLogistic(rows).fixed[0].interval, 0.4);
    });
    // Of 700 studies the share itself has a standard error of 0.8 %: two of them on either side.
    QVERIFY2(std::abs(share - 0.95) <= 0.017, said(share));
  }
};

QTEST_GUILESS_MAIN(StatisticsCoverageTest)
#include "statistics_coverage_test.moc"
