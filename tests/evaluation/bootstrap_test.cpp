// Intervals hold the truth as often as they say, in simulated samples whose truth is known.
#include "evaluation/bootstrap.h"

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace quantspot::evaluation;

namespace {

constexpr int kSamples = 3000;           // a share of 95 % is then off by 0.4 % (one deviation)

// Normal and exponential numbers that are the same with every library.
class Numbers {
 public:
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) / 9007199254740992.0; }
  double exponential() { return -std::log(uniform()); }
  double normal() { return std::sqrt(2 * exponential()) * std::cos(6.283185307179586 * uniform()); }

 private:
  std::mt19937_64 engine_{11};
};

template <class Draw>
double coverage(double truth, Draw&& draw) {
  int held = 0;
  for (int i = 0; i < kSamples; ++i) {
    const Estimate e = draw(BootstrapOptions{.resamples = 1000, .seed = static_cast<std::uint64_t>(i)});
    held += e.ci95->low <= truth && truth <= e.ci95->high ? 1 : 0;
  }
  return static_cast<double>(held) / kSamples;
}

template <class Draw>
std::vector<double> values(int n, Draw&& draw) {
  std::vector<double> all(static_cast<std::size_t>(n));
  std::ranges::generate(all, draw);
  return all;
}

}  // namespace

class BootstrapTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void meansAreHeldAsOftenAsSaid_data() {
    QTest::addColumn<int>("n");
    QTest::addColumn<bool>("skewed");
    QTest::addColumn<double>("tolerance");
    QTest::newRow("normal, 6") << 6 << false << 0.02;
    QTest::newRow("normal, 10") << 10 << false << 0.015;
    QTest::newRow("normal, 40") << 40 << false << 0.015;
    QTest::newRow("exponential, 20") << 20 << true << 0.025;
    QTest::newRow("exponential, 40") << 40 << true << 0.02;
  }
  void meansAreHeldAsOftenAsSaid() {
    QFETCH(int, n);
    QFETCH(bool, skewed);
    QFETCH(double, tolerance);
    Numbers numbers;
    const double share = coverage(skewed ? 1 : 0, [&](const BootstrapOptions& options) {
      return bootstrapMean(values(n, [&] { return skewed ? numbers.exponential() : numbers.normal(); }), options);
    });
    qInfo("coverage %.4f", share);
    QVERIFY(std::abs(share - 0.95) < tolerance);
  }

  void pairsAndGroupsAreHeldAsOftenAsSaid() {
    Numbers numbers;
    const double paired = coverage(0.2, [&](const BootstrapOptions& options) {
      const auto base = values(25, [&] { return 5 * numbers.normal(); });
      std::vector<double> other = base;
      for (double& v : other) v += 0.2 + 0.3 * numbers.normal();
      return bootstrapPairedDifference(other, base, options);
    });
    const double change = coverage(-0.05, [&](const BootstrapOptions& options) {
      const auto base = values(30, [&] { return 30 + 3 * numbers.normal(); });
      std::vector<double> other = base;
      for (double& v : other) v = 0.95 * v + numbers.normal();
      return bootstrapPairedChange(other, base, options);
    });
    const double apart = coverage(1, [&](const BootstrapOptions& options) {
      return bootstrapDifference(values(20, [&] { return 3 + numbers.normal(); }), values(30, [&] { return 2 + 2 * numbers.normal(); }), options);
    });
    qInfo("coverage: paired difference %.4f, paired change %.4f, difference %.4f", paired, change, apart);
    for (const double share : {paired, change, apart}) QVERIFY(std::abs(share - 0.95) < 0.02);
  }

  void pairingNarrowsTheInterval() {
    Numbers numbers;
    const auto base = values(30, [&] { return 5 * numbers.normal(); });
    std::vector<double> other = base;
    for (double& v : other) v += 0.1 * numbers.normal();
    const auto width = [](const Estimate& e) { return e.ci95->high - e.ci95->low; };
    QVERIFY(width(bootstrapPairedDifference(other, base)) < width(bootstrapDifference(other, base)) / 10);
  }

  void skewedSamplesMoveTheInterval() {
    Numbers numbers;
    const auto all = values(30, [&] { return std::exp(numbers.normal()); });
    const Estimate e = bootstrapMean(all);
    QVERIFY(e.ci95->high - e.value > 1.1 * (e.value - e.ci95->low));
    const Estimate mirrored = bootstrapMean([&] { auto m = all; for (double& v : m) v = -v; return m; }());
    QVERIFY(std::abs(mirrored.ci95->low + e.ci95->high) < 1e-9 && std::abs(mirrored.ci95->high + e.ci95->low) < 1e-9);
  }

  void theSameNumbersGiveTheSameInterval() {
    Numbers numbers;
    const auto all = values(12, [&] { return numbers.normal(); });
    const Estimate a = bootstrapMean(all), b = bootstrapMean(all), c = bootstrapMean(all, {.seed = 2});
    QCOMPARE(a.ci95->low, b.ci95->low);
    QCOMPARE(a.ci95->high, b.ci95->high);
    QVERIFY(c.ci95->low != a.ci95->low);
    QVERIFY(std::abs(c.ci95->low - a.ci95->low) < 0.1 * (a.ci95->high - a.ci95->low));
    // numbers of mt19937_64 with seed 1, as any library draws them
    Resampler resampler(std::vector<std::size_t>{6, 2}, 1);
    std::vector<double> weights(8);
    resampler.next(weights);
    QCOMPARE(weights[0] + weights[1] + weights[2] + weights[3] + weights[4] + weights[5], 6.0);
    QCOMPARE(weights[6] + weights[7], 2.0);
    std::mt19937_64 engine(1);
    std::vector<double> expected(8);
    for (int i = 0; i < 6; ++i) expected[static_cast<std::size_t>(std::floor(static_cast<double>(engine() >> 32) / 4294967296.0 * 6))] += 1;
    for (int i = 0; i < 2; ++i) expected[6 + static_cast<std::size_t>(engine() >> 63)] += 1;
    QCOMPARE(weights, expected);
  }

  void valuesThatAreAllEqualHaveNoWidth() {
    const Estimate e = bootstrapMean(std::vector<double>(7, 0.1));
    QVERIFY(std::abs(e.value - 0.1) < 1e-15 && std::abs(e.ci95->low - 0.1) < 1e-15 && std::abs(e.ci95->high - 0.1) < 1e-15);
    const Estimate same = bootstrapPairedDifference(std::vector<double>{1, 2, 3, 4, 5, INFINITY}, std::vector<double>{1, 2, 3, 4, 5, INFINITY});
    QCOMPARE(same.value, 0.0);
    QCOMPARE(same.ci95->high, 0.0);
  }

  void fewOrInfiniteValuesHaveNoInterval() {
    QVERIFY(!bootstrapMean(std::vector<double>{1, 2, 3, 4, 5}).ci95);
    QCOMPARE(bootstrapMean(std::vector<double>{1, 2, 3, 4, 5}).value, 3.0);
    QCOMPARE(bootstrapMean(std::vector<double>{1, 2, 3, 4, 5}).n, std::size_t{5});
    const Estimate e = bootstrapMean(std::vector<double>{1, 2, 3, 4, 5, INFINITY});
    QVERIFY(std::isinf(e.value) && !e.ci95);
  }

  void whatIsNoNumberIsRefused() {
    const std::vector<double> good(6, 1.0), bad = {1, 2, NAN, 4, 5, 6};
    QVERIFY_EXCEPTION_THROWN(bootstrapMean(bad), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(bootstrapMean(std::vector<double>{}), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(bootstrapPairedDifference(good, bad), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(bootstrapPairedDifference(good, std::vector<double>(5, 1.0)), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(bootstrapMean(good, {.resamples = 10}), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(percentileInterval({}), std::invalid_argument);
  }

  void quantilesLieBetweenTheReplicates() {
    std::vector<double> replicates(999);
    for (std::size_t i = 0; i < replicates.size(); ++i) replicates[i] = static_cast<double>(999 - i);
    const Interval interval = percentileInterval(replicates);
    QVERIFY(std::abs(interval.low - 25) < 1e-9 && std::abs(interval.high - 975) < 1e-9);
    QCOMPARE(sortedQuantile(std::vector<double>{1, 2, 3}, 0.001), 1.0);
    QCOMPARE(sortedQuantile(std::vector<double>{1, 2, 3}, 0.999), 3.0);
  }
};

QTEST_APPLESS_MAIN(BootstrapTest)
#include "bootstrap_test.moc"
