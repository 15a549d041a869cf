// Do intervals hold the truth as often as they say? Nominal ± 1 %, or at least the level where that is promised (docs/study-analysis.md).
#include "tests/study/coverage_cases.h"

#include <QTest>

#include <cmath>

using namespace quantspot::statistics::test;

class StatisticsCoverageTest : public QObject {
  Q_OBJECT
  std::vector<CoverageCase> cases_;

 private Q_SLOTS:
  void initTestCase() {
    cases_ = coverageCases();
    for (CoverageCase& many : manyAnswersCases()) cases_.push_back(std::move(many));
    for (CoverageCase& score : scoreCases()) cases_.push_back(std::move(score));
    for (CoverageCase& correlation : correlationCases()) cases_.push_back(std::move(correlation));
    for (CoverageCase& agreement : agreementCases()) cases_.push_back(std::move(agreement));
    for (CoverageCase& curve : curveCases()) cases_.push_back(std::move(curve));
    for (CoverageCase& mixed : mixedCases()) cases_.push_back(std::move(mixed));
  }

  void intervalsHoldTheTruth_data() {
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < cases_.size(); ++i) QTest::newRow((cases_[i].figure + ": " + cases_[i].setting).c_str()) << static_cast<int>(i);
  }
  void intervalsHoldTheTruth() {
    QFETCH(int, index);
    const CoverageCase& row = cases_[static_cast<std::size_t>(index)];
    const double share = row.share(row.studies);
    const QByteArray said = QByteArray::number(share, 'f', 4);
    QVERIFY2(share >= (row.conservative && row.studies == 0 ? 0.95 : 0.94), said);
    if (!row.conservative) QVERIFY2(share <= 0.96, said);
  }

  // Where one value is rare and things are few, α hangs on things that may not be among them: hardly a study gets an interval.
  void oneSidedRatingsGetNoInterval() {
    for (int people : {2, 12})
      for (double clear : {0.2, 0.6}) {
        using quantspot::statistics::Measurement;
        const AgreementShares shares = agreementShares({people, 30, 2, Measurement::Nominal, Common::FourInFive, clear, 0, 0}, 1000, 5);
        QVERIFY2(shares.given < 0.1, QByteArray::number(shares.given));
      }
  }
};

QTEST_GUILESS_MAIN(StatisticsCoverageTest)
#include "statistics_coverage_test.moc"
