#include "metrics/mean_interval.h"

#include <QTest>

#include <cmath>

using quantspot::metrics::meanInterval;

class IntervalTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void halfWidthsFollowStudent_data() {
    QTest::addColumn<int>("n");
    QTest::addColumn<double>("quantile");   // R: qt(0.975, n - 1)
    QTest::addColumn<double>("tolerance");
    QTest::newRow("2") << 2 << 12.7062047362 << 1e-9;
    QTest::newRow("3") << 3 << 4.3026527297 << 1e-9;
    QTest::newRow("4") << 4 << 3.1824463053 << 2e-3;
    QTest::newRow("6") << 6 << 2.5705818356 << 2e-4;
    QTest::newRow("11") << 11 << 2.2281388520 << 1e-5;
    QTest::newRow("101") << 101 << 1.9839715185 << 1e-8;
  }
  void halfWidthsFollowStudent() {
    QFETCH(int, n);
    QFETCH(double, quantile);
    QFETCH(double, tolerance);
    std::vector<double> values;
    for (int i = 0; i < n; ++i) values.push_back(i % 2 == 0 ? 3 : 5);
    double mean = 0, squares = 0;
    for (const double v : values) mean += v / n;
    for (const double v : values) squares += (v - mean) * (v - mean);
    const auto interval = meanInterval(values);
    QVERIFY(interval.known);
    const double half = quantile * std::sqrt(squares / (n - 1) / n);
    QVERIFY(std::abs(interval.mean - mean) < 1e-12);
    QVERIFY2(std::abs((interval.high - interval.low) / 2 / half - 1) < tolerance, qPrintable(QString::number((interval.high - interval.low) / 2 / half - 1)));
  }

  void oneValueHasNoInterval() {
    QVERIFY(!meanInterval({2}).known);
    QCOMPARE(meanInterval({2}).mean, 2.0);
    QVERIFY(!meanInterval({}).known);
    QVERIFY(!meanInterval({1, INFINITY}).known);
  }
};

QTEST_APPLESS_MAIN(IntervalTest)
#include "interval_test.moc"
