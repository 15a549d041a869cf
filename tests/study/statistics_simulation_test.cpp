// Simulated studies: do intervals cover, sequential rules keep their error, and power curves hold? Seeds are fixed.
#include "study/statistics/bradley_terry.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/mixed_logistic.h"
#include "study/statistics/power.h"
#include "study/statistics/random.h"
#include "study/statistics/sensitivity.h"
#include "study/statistics/sprt.h"
#include "tests/study/draws.h"
#include "tests/study/golden.h"

#include <map>

using namespace quantspot::statistics;
using quantspot::statistics::test::binomialDraw;

namespace {

constexpr int kStudies = 10000;

double covered(const std::function<bool()>& study, int studies = kStudies) {
  int hits = 0;
  for (int i = 0; i < studies; ++i) hits += study();
  return static_cast<double>(hits) / studies;
}

bool holds(const Interval& interval, double truth) { return interval.low <= truth && truth <= interval.high; }

}  // namespace

class StatisticsSimulationTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void exactIntervalsCoverAtLeastTheLevel() {
    Random random(1);
    for (double p : {0.1, 0.25, 0.5, 0.8}) {
      const double share = covered([&] { return holds(clopperPearson(binomialDraw(random, 80, p), 80), p); });
      QVERIFY2(share >= 0.945, qPrintable(QString::number(share)));
    }
  }

  // Wilson's oscillates around the level with n and p; over a range of rates its mean is what is promised.
  void wilsonCoversTheLevelOnAverage() {
    Random random(2);
    const double share = covered([&] {
      const double p = 0.2 + 0.6 * random.uniform();
      return holds(wilson(binomialDraw(random, 120, p), 120), p);
    });
    QVERIFY2(std::abs(share - 0.95) <= 0.01, qPrintable(QString::number(share)));
  }

  // Clopper–Pearson's conservatism is carried over: not less than the level.
  void dprimeIntervalsCover() {
    Random random(3);
    const double rate = rateFromDprime(Task::Mafc, 1.0, 4);
    std::map<int, Interval> known;
    const double share = covered([&] {
      const int right = binomialDraw(random, 100, rate);
      if (!known.count(right)) known[right] = dprime(Task::Mafc, right, 100, 4).interval;
      return holds(known[right], 1.0);
    });
    QVERIFY2(share >= 0.945 && share < 0.975, qPrintable(QString::number(share)));
  }

  void bradleyTerryIntervalsCoverTheLevel() {
    Random random(4);
    const double truth[] = {0, 0.5, -0.5, 0.8};
    double share = 0;
    constexpr int kFits = 4000;
    for (int study = 0; study < kFits; ++study) {
      std::vector<PairCounts> pairs;
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < i; ++j) {
          const int wins = binomialDraw(random, 40, 1 / (1 + std::exp(truth[j] - truth[i])));
          pairs.push_back({i, j, static_cast<double>(wins), static_cast<double>(40 - wins), 0});
        }
      const Abilities fit = bradleyTerry(4, pairs);
      for (std::size_t i = 1; i < 4; ++i) share += holds(fit.items[i].interval, truth[i]) / (3.0 * kFits);
    }
    QVERIFY2(std::abs(share - 0.95) <= 0.01, qPrintable(QString::number(share)));
  }

  void pooledCountsAreTooSureWherePeopleDiffer() {
    Random random(5);
    int pooled = 0, mixed = 0;
    constexpr int kFits = 120;
    for (int study = 0; study < kFits; ++study) {
      std::vector<MixedRow> rows;
      int right = 0;
      for (std::size_t person = 0; person < 20; ++person) {
        double shift = -6;   // about normal, standard deviation 1
        for (int k = 0; k < 12; ++k) shift += random.uniform();
        for (std::size_t k = 0; k < 40; ++k) {
          const bool success = random.uniform() < 1 / (1 + std::exp(-shift));
          right += success;
          rows.push_back({{1}, person, 0, success, 0});
        }
      }
      pooled += holds(clopperPearson(right, 800), 0.5);
      mixed += holds(mixedLogistic(rows).fixed[0].interval, 0);
    }
    QVERIFY2(pooled < 0.75 * kFits, qPrintable(QString::number(pooled)));
    QVERIFY2(mixed > 0.87 * kFits, qPrintable(QString::number(mixed)));
  }

  void sprtKeepsItsError() {
    Random random(6);
    const SprtPlan plan{.null_rate = 0.25, .alternative_rate = 0.4, .alpha = 0.05, .beta = 0.05};
    for (const auto& [rate, wrong] : {std::pair{0.25, SequentialVerdict::AcceptAlternative}, std::pair{0.4, SequentialVerdict::AcceptNull}}) {
      const double share = covered([&] {
        int right = 0, trials = 0;
        SequentialVerdict verdict = SequentialVerdict::Continue;
        while (verdict == SequentialVerdict::Continue) {
          right += random.uniform() < rate;
          verdict = sprt(plan, right, ++trials).verdict;
        }
        return verdict == wrong;
      });
      QVERIFY2(share <= 0.05, qPrintable(QString::number(share)));
    }
  }

  // The bounds are looked up, so that 10,000 studies of 300 looks each stay quick.
  void confidenceSequencesMayBeLookedAtAlways() {
    std::vector<int> reject(301);   // fewest right at which chance is excluded from below
    for (int n = 1, k = 1; n <= 300; ++n) {
      while (k <= n && confidenceSequence(k, n).low <= 0.25) ++k;
      reject[n] = k;
    }
    std::vector<int> reject_low(301, -1);   // most right at which it is excluded from above
    for (int n = 1, k = -1; n <= 300; ++n) {
      while (confidenceSequence(k + 1, n).high < 0.25) ++k;
      reject_low[n] = k;
    }
    Random random(7);
    const double share = covered([&] {
      int right = 0;
      for (int n = 1; n <= 300; ++n) {
        right += random.uniform() < 0.25;
        if (right >= reject[n] || right <= reject_low[n]) return true;
      }
      return false;
    });
    QVERIFY2(share <= 0.05, qPrintable(QString::number(share)));
  }

  // What the sequential rules are for: p ≤ 0.05 looked at after every trial is wrong about 16 % of the time.
  void lookingAtPAfterEveryTrialIsWrongTooOften() {
    std::vector<int> reject(51);
    for (int n = 1; n <= 50; ++n) reject[n] = binomialPower(n, 0.5, 0.5).needed;
    Random random(8);
    const double share = covered([&] {
      int right = 0;
      for (int n = 1; n <= 50; ++n) {
        right += random.uniform() < 0.5;
        if (n >= 5 && right >= reject[n]) return true;
      }
      return false;
    });
    QVERIFY2(std::abs(share - 0.16) < 0.02, qPrintable(QString::number(share)));
  }

  void powerCurveHolds() {
    Random random(9);
    for (double rate : {0.3, 0.35, 0.4, 0.5}) {
      const Power power = binomialPower(100, rate, 0.25);
      const double share = covered([&] { return binomialDraw(random, 100, rate) >= power.needed; }, 20000);
      QVERIFY2(std::abs(share - power.power) <= 0.01, qPrintable(QStringLiteral("%1, not %2").arg(share).arg(power.power)));
    }
  }
};

QTEST_GUILESS_MAIN(StatisticsSimulationTest)
#include "statistics_simulation_test.moc"
