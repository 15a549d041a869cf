#include "quant/schedule.h"
#include "tests/quant/support.h"

#include <QTest>

using namespace quantspot::quant;
using quantspot::quant::test::thrown;

class ScheduleTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aPolicyAloneIsForAllSteps() {
    const auto spans = parseSchedule("bnb-nf4?skip=a,b");
    QCOMPARE(spans.size(), std::size_t{1});
    QCOMPARE(spans[0].last, -1);
    QCOMPARE(spans[0].policy.skip.size(), std::size_t{2});
  }

  void spansCarryTheirOwnPolicies() {
    const auto spans = parseSchedule("bf16@0-3,bnb-nf4?skip=proj_out,norm&x=bf16@4-9,bnb-int8@10-");
    QCOMPARE(spans.size(), std::size_t{3});
    QCOMPARE(spans[0].policy.precision, std::string("bf16"));
    QCOMPARE(spans[1].first, 4);
    QCOMPARE(spans[1].last, 9);
    QCOMPARE(spans[1].policy.skip, (std::vector<std::string>{"proj_out", "norm"}));
    QCOMPARE(spans[2].last, -1);
  }

  void textComesBack_data() {
    QTest::addColumn<QString>("text");
    for (const char* text : {"bf16", "bf16?skip=a", "bf16@0-3,bnb-nf4@4-", "bf16@0-0,bnb-nf4?skip=a,b&c=bf16@1-7"}) QTest::newRow(text) << text;
  }
  void textComesBack() {
    QFETCH(QString, text);
    QCOMPARE(QString::fromStdString(quantspot::quant::text(parseSchedule(text.toStdString()))), text);
  }

  void aRunTakesTheSpansThatItReaches() {
    const auto schedule = parseSchedule("bf16@0-3,bnb-nf4@4-9,bnb-int8@10-");
    const auto five = spansFor(schedule, 5), four = spansFor(schedule, 4), twenty = spansFor(schedule, 20);
    QCOMPARE(five.size(), std::size_t{2});
    QCOMPARE(five[1].last, 4);
    QCOMPARE(four.size(), std::size_t{1});
    QCOMPARE(four[0].last, 3);
    QCOMPARE(twenty[2].last, 19);
    QVERIFY(thrown([] { spansFor(parseSchedule("bf16@0-3"), 5); }).contains("ends with step 3"));
  }

  void mistakesAreNamed_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("gap") << "bf16@0-3,bnb-nf4@5-" << "should begin with step 4";
    QTest::newRow("overlap") << "bf16@0-3,bnb-nf4@3-" << "should begin with step 4";
    QTest::newRow("not from 0") << "bf16@1-" << "should begin with step 0";
    QTest::newRow("after the end") << "bf16@0-,bnb-nf4@4-" << "should begin with";
    QTest::newRow("backwards") << "bf16@3-0" << "no range";
    QTest::newRow("no numbers") << "bf16@a-b" << "no range";
    QTest::newRow("no dash") << "bf16@3" << "is not precision@first-last";
    QTest::newRow("second without steps") << "bf16@0-3,bnb-nf4" << "is not precision@first-last";
    QTest::newRow("unknown id") << "bf16@0-3,nf5@4-" << "unknown precision";
    QTest::newRow("types") << "fp32@0-3,bnb-nf4@4-" << "computes in another type";
  }
  void mistakesAreNamed() {
    QFETCH(QString, text);
    QFETCH(QString, says);
    const QString error = thrown([&] { parseSchedule(text.toStdString()); });
    QVERIFY2(error.contains(says), qPrintable(error));
  }
};

QTEST_GUILESS_MAIN(ScheduleTest)
#include "schedule_test.moc"
