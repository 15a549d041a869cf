// Against scipy 1.x: binomtest(k, n, p, alternative) and its proportion_ci(method="wilson").
#include "study/hit_rate.h"
#include "study/statistics/binomial.h"

#include <QTest>

using namespace quantspot;
using statistics::Alternative;

class StatisticsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void wilsonEqualsScipy_data() {
    QTest::addColumn<int>("correct");
    QTest::addColumn<int>("trials");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::newRow("none right") << 0 << 10 << 0.0 << 0.27753279986288926;
    QTest::newRow("all right") << 10 << 10 << 0.7224672001371109 << 1.0;
    QTest::newRow("few") << 1 << 3 << 0.06149194472039626 << 0.7923403991979523;
    QTest::newRow("12 of 16") << 12 << 16 << 0.5050168346449122 << 0.8981793250878696;
    QTest::newRow("17 of 24") << 17 << 24 << 0.5083230633550337 << 0.8508535180303913;
    QTest::newRow("27 of 100") << 27 << 100 << 0.19269584149576344 << 0.36432116767945;
    QTest::newRow("many") << 480 << 1000 << 0.44917079499694124 << 0.510982275342481;
  }
  void wilsonEqualsScipy() {
    QFETCH(int, correct);
    QFETCH(int, trials);
    QFETCH(double, low);
    QFETCH(double, high);
    const auto interval = statistics::wilson(correct, trials);
    QVERIFY2(std::abs(interval.low - low) < 1e-12, qPrintable(QString::number(interval.low, 'g', 17)));
    QVERIFY2(std::abs(interval.high - high) < 1e-12, qPrintable(QString::number(interval.high, 'g', 17)));
  }

  void binomialTestEqualsScipy_data() {
    QTest::addColumn<int>("correct");
    QTest::addColumn<int>("trials");
    QTest::addColumn<double>("chance");
    QTest::addColumn<QList<double>>("expected");   // greater, less, two-sided
    QTest::newRow("blind-study fixture") << 12 << 16 << 0.5 << QList<double>{0.0384063720703125, 0.9893646240234375, 0.076812744140625};
    QTest::newRow("at chance") << 6 << 24 << 0.25 << QList<double>{0.5778447981760486, 0.607412338166295, 1.0};
    QTest::newRow("17 of 24") << 17 << 24 << 0.25 << QList<double>{3.0777027681949676e-06, 0.9999996114508356, 3.0777027681949676e-06};
    QTest::newRow("none right") << 0 << 5 << 0.25 << QList<double>{1.0, 0.23730468750000006, 0.34082031250000006};
    QTest::newRow("all right") << 5 << 5 << 0.25 << QList<double>{0.0009765625, 1.0, 0.0009765625};
    QTest::newRow("first n with power") << 90 << 158 << 0.5 << QList<double>{0.047237267610965875, 0.9665286803623244, 0.09447453522193175};
    QTest::newRow("below chance") << 3 << 40 << 0.25 << QList<double>{0.9989842848986746, 0.004695680338250517, 0.009347148417940206};
    QTest::newRow("many") << 500 << 2000 << 0.25 << QList<double>{0.5085832112651493, 0.5120143601681715, 1.0};
    QTest::newRow("certain") << 7 << 7 << 1.0 << QList<double>{1.0, 1.0, 1.0};
  }
  void binomialTestEqualsScipy() {
    QFETCH(int, correct);
    QFETCH(int, trials);
    QFETCH(double, chance);
    QFETCH(QList<double>, expected);
    const Alternative alternatives[] = {Alternative::Greater, Alternative::Less, Alternative::TwoSided};
    for (int i = 0; i < 3; ++i) {
      const double p = statistics::binomialTest(correct, trials, chance, alternatives[i]);
      QVERIFY2(std::abs(p - expected[i]) <= 1e-10 * expected[i], qPrintable(QStringLiteral("%1: %2, not %3").arg(i).arg(p, 0, 'g', 17).arg(expected[i], 0, 'g', 17)));
    }
  }

  void badCountsAreRefused() {
    QVERIFY_EXCEPTION_THROWN(statistics::wilson(5, 4), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(statistics::wilson(-1, 4), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(statistics::binomialTest(1, 4, 1.5), std::invalid_argument);
    QCOMPARE(statistics::wilson(0, 0).high, 1.0);
  }

  void hitRateSumsOneTaskAndWeighsChanceByTiles() {
    using study::Task;
    const std::vector<study::Tally> tallies = {{Task::NameEach, 0.25, 4, 11, 16}, {Task::NameEach, 0.5, 4, 6, 8}, {Task::SpotOne, 0.25, 3, 1, 3}};
    const auto rate = study::hitRate(Task::NameEach, tallies);
    QCOMPARE(rate.hits, 17);
    QCOMPARE(rate.tiles, 24);
    QCOMPARE(rate.trials, 8);
    QCOMPARE(rate.chance, (16 * 0.25 + 8 * 0.5) / 24);
    QCOMPARE(rate.text(), QStringLiteral("17/24, 71\u2009% (chance 33\u2009%, 95\u2009% CI 29–96)"));
    QCOMPARE(study::hitRate(Task::SpotOne, {}).text(), QString());
    const auto spotted = study::hitRate(Task::SpotOne, tallies);   // one tile a trial: the exact interval itself
    QCOMPARE(spotted.low, statistics::clopperPearson(1, 3).low);
    QCOMPARE(spotted.high, statistics::clopperPearson(1, 3).high);
    QVERIFY(study::hitRateMethod().contains(QStringLiteral("Clopper and Pearson")));
  }

  // Expected: scipy.stats.beta.ppf of k = share · trials.
  void exactIntervalOfAShare() {
    const auto near = [](double a, double b) { return std::abs(a - b) < 1e-9; };
    const auto third = statistics::clopperPearsonShare(0.3, 7.5), none = statistics::clopperPearsonShare(0, 2.5);
    const auto all = statistics::clopperPearsonShare(1, 2.5);
    QVERIFY(near(third.low, 0.04630867513574838) && near(third.high, 0.707401524077772));
    QVERIFY(none.low == 0 && near(none.high, 0.7713474740363367) && near(all.low, 0.22865252596366317) && all.high == 1);
    QCOMPARE(statistics::clopperPearsonShare(0.5, 0).high, 1.0);
    for (double share : {-0.1, 1.1, std::nan("")}) QVERIFY_EXCEPTION_THROWN(statistics::clopperPearsonShare(share, 5), std::invalid_argument);
    for (double trials : {-1.0, std::nan("")}) QVERIFY_EXCEPTION_THROWN(statistics::clopperPearsonShare(0.5, trials), std::invalid_argument);
    QVERIFY_EXCEPTION_THROWN(statistics::clopperPearsonShare(0.5, 5, 1), std::invalid_argument);
  }
};

QTEST_GUILESS_MAIN(StatisticsTest)
#include "statistics_test.moc"
