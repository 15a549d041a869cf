// Simulated studies: do intervals cover, sequential rules keep their error, and power curves hold? Seeds are fixed.
#include "study/statistics/bradley_terry.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/equivalence.h"
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
using quantspot::statistics::test::covered;
using quantspot::statistics::test::holds;

namespace {

constexpr int kStudies = 10000;

}  // namespace

class StatisticsSimulationTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
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
      const double share = covered(kStudies, [&] {
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
    const double share = covered(kStudies, [&] {
      int right = 0;
      for (int n = 1; n <= 300; ++n) {
        right += random.uniform() < 0.25;
        if (right >= reject[n] || right <= reject_low[n]) return true;
      }
      return false;
    });
    QVERIFY2(share <= 0.05, qPrintable(QString::number(share)));
  }

  // Verdicts of whole studies of at most 300 trials, stopped where the rule allows: wrong ones in at most 5 %.
  void verdictsOfStoppedStudiesKeepTheirError_data() {
    QTest::addColumn<QString>("rule");
    QTest::addColumn<double>("chance");
    for (const char* rule : {"fixed", "SPRT", "always-valid"})
      for (double chance : {0.25, 1.0 / 3, 0.5}) QTest::newRow(qPrintable(QStringLiteral("%1, chance %2").arg(rule).arg(chance))) << rule << chance;
  }
  void verdictsOfStoppedStudiesKeepTheirError() {
    QFETCH(QString, rule);
    QFETCH(double, chance);
    constexpr int kMost = 300;
    constexpr double kMargin = 0.1;
    const double bound = chance + kMargin * (1 - chance);
    std::map<std::pair<int, int>, Noticeability> known;
    const auto verdict = [&](int right, int n) {
      const auto [at, fresh] = known.try_emplace({right, n});
      if (fresh) at->second = (rule == "always-valid" ? equivalenceOf(right, n, chance, confidenceSequence(right, n), kMargin)
                                                      : equivalence(right, n, chance, kMargin)).verdict;
      return at->second;
    };
    const SprtPlan plan{.null_rate = chance, .alternative_rate = chance + 0.25 * (1 - chance), .alpha = 0.05, .beta = 0.05};
    const auto study = [&](Random& random, double rate) {
      int right = 0;
      for (int n = 1; n <= kMost; ++n) {
        right += random.uniform() < rate;
        const SequentialVerdict test = rule == "SPRT" ? sprt(plan, right, n).verdict : SequentialVerdict::Continue;
        if (test != SequentialVerdict::Continue) return withSequentialTest(verdict(right, n), test);
        if (rule == "always-valid" && n % 10 == 0 && verdict(right, n) != Noticeability::Undecided) return verdict(right, n);
      }
      return rule == "SPRT" ? withSequentialTest(verdict(right, kMost), SequentialVerdict::Continue) : verdict(right, kMost);
    };
    Random random(10);
    const double seen = covered(kStudies, [&] { return study(random, chance) == Noticeability::Noticeable; });
    const double unseen = covered(kStudies, [&] { return study(random, bound) == Noticeability::NotNoticeable; });
    qInfo("noticeable at chance %.4f, not noticeable at the margin %.4f", seen, unseen);
    QVERIFY2(seen <= 0.05, qPrintable(QString::number(seen)));
    QVERIFY2(unseen <= 0.05, qPrintable(QString::number(unseen)));
  }

  // What the sequential rules are for: p ≤ 0.05 looked at after every trial is wrong about 16 % of the time.
  void lookingAtPAfterEveryTrialIsWrongTooOften() {
    std::vector<int> reject(51);
    for (int n = 1; n <= 50; ++n) reject[n] = binomialPower(n, 0.5, 0.5).needed;
    Random random(8);
    const double share = covered(kStudies, [&] {
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
      const double share = covered(20000, [&] { return binomialDraw(random, 100, rate) >= power.needed; });
      QVERIFY2(std::abs(share - power.power) <= 0.01, qPrintable(QStringLiteral("%1, not %2").arg(share).arg(power.power)));
    }
  }
};

QTEST_GUILESS_MAIN(StatisticsSimulationTest)
#include "statistics_simulation_test.moc"
