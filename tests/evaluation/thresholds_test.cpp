// Every limit with its sentence.
#include "evaluation/files.h"
#include "evaluation/pareto.h"
#include "evaluation/thresholds.h"

#include <QTemporaryDir>
#include <QTest>

#include <cstdlib>

using namespace quantspot::evaluation;

namespace {

Estimate known(double value, double low, double high, std::size_t n = 64) { return {value, n, Interval{low, high}}; }

// A baseline that has everything, and a precision to be changed by each row.
std::vector<PrecisionSummary> summaries() {
  PrecisionSummary base{"bf16", 64, 0, 0, {}, {}}, tested{"bnb-nf4", 64, 0, 0, {}, {}};
  for (const char* figure : {"clip", "memory", "latency", "throughput", "fid", "rating"}) base.figures[figure] = known(100, 99, 101);
  return {base, tested};
}

ThresholdCell judged(const PrecisionSummary& tested, const char* id) {
  auto all = summaries();
  all[1] = tested;
  for (const ThresholdCell& cell : judge(all, defaultThresholds()))
    if (cell.threshold == id) return cell;
  throw std::runtime_error("no such threshold");
}

}  // namespace

class ThresholdsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void eachRowSaysWhy_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("figure");
    QTest::addColumn<double>("change");
    QTest::addColumn<double>("low");
    QTest::addColumn<double>("high");
    QTest::addColumn<QString>("sentence");
    const auto row = [](const char* name, const char* id, const char* figure, double change, double low, double high, const char* sentence) {
      QTest::newRow(name) << id << figure << change << low << high << QString::fromUtf8(sentence);
    };
    row("FID passes", "fid-change", "fid", 0.08, 0.02, 0.12,
        "FID change +8.0 % (95 % +2.0 % to +12.0 %, N = 64) is below 15 %: passes. 64 pictures: below 2048 FID is far too high by its own bias; "
        "go by KID or by paired LPIPS.");
    row("FID fails", "fid-change", "fid", 0.22, 0.18, 0.3,
        "FID change +22.0 % (95 % +18.0 % to +30.0 %, N = 64) is not below 15 %: fails by 7.0 points. 64 pictures: below 2048 FID is far too high "
        "by its own bias; go by KID or by paired LPIPS.");
    row("CLIP passes", "clip-change", "clip", -0.012, -0.02, 0.001,
        "CLIP score change −1.2 % (95 % −2.0 % to +0.1 %, N = 64) is above −5 %: passes.");
    row("CLIP fails", "clip-change", "clip", -0.08, -0.1, -0.06,
        "CLIP score change −8.0 % (95 % −10.0 % to −6.0 %, N = 64) is not above −5 %: fails by 3.0 points.");
    row("CLIP unsure", "clip-change", "clip", -0.04, -0.07, -0.01,
        "CLIP score change −4.0 % (95 % −7.0 % to −1.0 %, N = 64) is above −5 %: passes. The interval holds the limit: more pictures would decide.");
    row("memory passes", "memory", "memory", -0.6, -0.62, -0.58,
        "Peak memory against bf16 40.0 % (95 % 38.0 % to 42.0 %, N = 64) is below 50 % of the baseline: passes.");
    row("memory fails", "memory", "memory", -0.3, -0.32, -0.28,
        "Peak memory against bf16 70.0 % (95 % 68.0 % to 72.0 %, N = 64) is not below 50 % of the baseline: fails by 20.0 points.");
    row("time fails", "time", "latency", 0.25, 0.2, 0.3,
        "Time per picture against bf16 125.0 % (95 % 120.0 % to 130.0 %, N = 64) is not below 100 % of the baseline: fails by 25.0 points.");
    row("throughput passes", "throughput", "throughput", 0.5, 0.4, 0.6,
        "Pictures per minute against bf16 150.0 % (95 % 140.0 % to 160.0 %, N = 64) is above 100 % of the baseline: passes.");
  }
  void eachRowSaysWhy() {
    QFETCH(QString, id);
    QFETCH(QString, figure);
    QFETCH(double, change);
    QFETCH(double, low);
    QFETCH(double, high);
    QFETCH(QString, sentence);
    PrecisionSummary tested = summaries()[1];
    tested.figures[figure.toStdString()] = known(1, 1, 1);
    tested.changes[figure.toStdString()] = known(change, low, high);
    const ThresholdCell cell = judged(tested, qPrintable(id));
    QCOMPARE(QString::fromStdString(cell.sentence), sentence);
    QCOMPARE(cell.verdict, sentence.contains("passes") ? Verdict::Pass : Verdict::Fail);
    QCOMPARE(cell.sure, !sentence.contains("more pictures"));
  }

  // The change of a distance to real pictures has none, nor has anything of few pictures; memory needs none.
  void withoutAnIntervalNothingIsSure() {
    PrecisionSummary tested = summaries()[1];
    tested.figures["fid"] = known(20, 18, 22);
    tested.changes["fid"] = {0.08, 64, {}};
    tested.figures["memory"] = known(1, 1, 1);
    tested.changes["memory"] = {-0.6, 1, {}};
    const ThresholdCell fid = judged(tested, "fid-change"), memory = judged(tested, "memory");
    QVERIFY(!fid.sure && fid.sentence.ends_with("Without an interval it is not known how sure that is."));
    QVERIFY(memory.sure && memory.verdict == Verdict::Pass);
  }

  void aRatingIsHeldAgainstItsOwnValue() {
    PrecisionSummary tested = summaries()[1];
    tested.figures["rating"] = known(3.6, 3.4, 3.8, 12);
    QCOMPARE(judged(tested, "human-rating").sentence, std::string("Human rating 3.60 (95 % 3.40 to 3.80, N = 12) is not above 4.00: fails by 0.40."));
    tested.figures["rating"] = {4.5, 3, {}};
    QCOMPARE(judged(tested, "human-rating").sentence, std::string("Human rating 4.50 (N = 3) is above 4.00: passes. Without an interval it is not known how sure that is."));
    QVERIFY(!judged(tested, "human-rating").sure);
  }

  void missingDataAreNamed_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("drawn");
    QTest::addColumn<int>("failed");
    QTest::addColumn<QString>("sentence");
    QTest::newRow("fid") << "fid-change" << 64 << 0
                         << "FID change: lacks data, FID needs Inception weights (`quantspot-cli metrics download inception`) "
                                                     "and a set of real pictures.";
    QTest::newRow("rating") << "human-rating" << 64 << 0
                            << "Human rating: lacks data, nobody has rated it: rate pictures on the Compare page, or give the "
                                                           "bundle of a study with rating trials.";
    QTest::newRow("FID against the baseline") << "fid-change" << -64 << 0
                                              << "FID change: lacks data, its change is one of distances to real pictures (`compare --real`).";
    QTest::newRow("clip") << "clip-change" << 64 << 0 << "CLIP score change: lacks data, it was not measured.";
    QTest::newRow("nothing drawn") << "memory" << 0 << 0 << "Peak memory against bf16: lacks data, nothing is drawn yet.";
    QTest::newRow("all failed") << "time" << 0 << 9 << "Time per picture against bf16: lacks data, every picture failed.";
  }
  void missingDataAreNamed() {
    QFETCH(QString, id);
    QFETCH(int, drawn);
    QFETCH(int, failed);
    QFETCH(QString, sentence);
    PrecisionSummary tested = summaries()[1];
    tested.drawn = static_cast<std::size_t>(std::abs(drawn));
    if (drawn < 0) tested.figures["fid"] = known(20, 18, 22);   // measured, but of the baseline itself there is none
    tested.failed = static_cast<std::size_t>(failed);
    const ThresholdCell cell = judged(tested, qPrintable(id));
    QCOMPARE(QString::fromStdString(cell.sentence), sentence);
    QCOMPARE(cell.verdict, Verdict::LacksData);
  }

  void aThresholdIsNamedByWhatIsMeasured() {
    const Labels tiny = {{"clip", "CLIP-tiny score"}};
    const std::vector<Threshold> all = defaultThresholds();
    QCOMPARE(labelOf(all[1], {}), std::string("CLIP score change"));
    QCOMPARE(labelOf(all[1], tiny), std::string("CLIP-tiny score change"));
    QCOMPARE(labelOf(all[0], tiny), std::string("FID change"));
    Threshold own = all[1];
    own.label = "Does it show the prompt?";                          // somebody's own words stay
    QCOMPARE(labelOf(own, tiny), own.label);
    QCOMPARE(thresholdsJson(all, tiny)[1]["label"].get<std::string>(), std::string("CLIP-tiny score change"));
    QCOMPARE(thresholdsOf(thresholdsJson(all)), all);                // as it is saved, it names no stand-in
  }

  void aPrecisionIsAsGoodAsItsWorstRow() {
    const ThresholdCell pass{"a", "x", Verdict::Pass, {}, {}, true, ""}, fail{"b", "x", Verdict::Fail, {}, {}, true, ""},
        lacks{"c", "x", Verdict::LacksData, {}, {}, true, ""};
    QCOMPARE(overall({pass}, "x"), Verdict::Pass);
    QCOMPARE(overall({pass, lacks}, "x"), Verdict::LacksData);
    QCOMPARE(overall({pass, lacks, fail}, "x"), Verdict::Fail);
    QCOMPARE(overall({pass}, "y"), Verdict::LacksData);
  }

  void thresholdsAreSavedAndRead() {
    std::vector<Threshold> edited = defaultThresholds();
    edited[1].limit = -2.5;
    edited[3].on = false;
    QTemporaryDir folder;
    const std::filesystem::path path = folder.filePath("t.json").toStdString();
    writeJson(path, thresholdsJson(edited));
    QCOMPARE(readThresholds(path), edited);
    auto all = summaries();
    for (const ThresholdCell& cell : judge(all, edited)) QVERIFY(cell.threshold != "memory");
    QCOMPARE(limitText(edited[1]), std::string("above −2.5 %"));
  }

  void wrongThresholdsAreRefused_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("word");
    const QByteArray good = R"({"id":"a","figure":"clip","measure":"change","side":"above","limit":-5})";
    QTest::newRow("no JSON") << QByteArray("{") << QByteArray("no JSON");
    QTest::newRow("no list") << good << QByteArray("list");
    QTest::newRow("figure") << "[" + QByteArray(good).replace("clip", "beauty") + "]" << QByteArray("beauty");
    QTest::newRow("side") << "[" + QByteArray(good).replace("above", "beside") + "]" << QByteArray("choose below, above");
    QTest::newRow("no limit") << "[" + QByteArray(good).replace("limit", "line") + "]" << QByteArray("limit");
    QTest::newRow("twice") << "[" + good + "," + good + "]" << QByteArray("twice");
  }
  void wrongThresholdsAreRefused() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, word);
    QTemporaryDir folder;
    const std::filesystem::path path = folder.filePath("t.json").toStdString();
    writeWhole(path, text.toStdString());
    try {
      readThresholds(path);
      QFAIL("it was taken");
    } catch (const std::runtime_error& error) {
      QVERIFY2(QByteArray(error.what()).contains(word) && QByteArray(error.what()).contains("t.json"), error.what());
    }
  }

  void theFrontHoldsWhatNothingBeats() {
    std::vector<ParetoPoint> points = {{"best", 10, 100, 5, false}, {"small", 8, 40, 6, false}, {"fast", 7, 90, 1, false},
        {"beaten", 7, 100, 6, false}, {"twin", 8, 40, 6, false}};
    markFront(points);
    QStringList front;
    for (const ParetoPoint& point : points)
      if (point.front) front << QString::fromStdString(point.precision);
    QCOMPARE(front, (QStringList{"best", "small", "fast", "twin"}));
  }

  void theBaselineIsTheBestOfWhatIsComparedWithIt() {
    auto all = summaries();
    for (const char* figure : {"memory", "latency"}) all[1].figures[figure] = known(200, 199, 201);
    all[1].figures["lpips"] = known(0.1, 0.05, 0.2);
    const auto points = paretoOf(all, "lpips");
    QCOMPARE(points.size(), std::size_t{2});
    QVERIFY(points[0].front && !points[1].front);
  }
};

QTEST_GUILESS_MAIN(ThresholdsTest)
#include "thresholds_test.moc"
