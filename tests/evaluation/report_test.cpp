// From cells to report.json and its tables: the same numbers everywhere.
#include "evaluation/figures.h"
#include "evaluation/charts.h"
#include "evaluation/html_report.h"
#include "evaluation/latent_error.h"
#include "evaluation/noise_floor.h"
#include "evaluation/pdf_report.h"
#include "evaluation/report.h"
#include "evaluation/scoring.h"
#include "evaluation/tables.h"
#include "evaluation/work.h"
#include "tests/evaluation/fixture.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

using namespace quantspot::evaluation;
using nlohmann::json;

namespace {

const MetricChoice kMetrics = test::choice();

double clipOf(const Cell& cell) { return 20.0 + static_cast<double>(cell.prompt) - static_cast<double>(cell.precision); }

// Everything drawn and scored; the baseline's clip is 20, 21, 22, … by prompt, the other's 1 less.
json filled(const std::filesystem::path& at, const Plan& plan) {
  Store store(at);
  for (const Cell& cell : plan.cells()) store.put(cell.key, test::drawn(cell, cell.precision == 0 ? 1 : 0.5));
  for (const ScoreTask& task : missingScores(plan, store, kMetrics.cells))
    store.putScore(task.key, {{"value", task.metric.id == "clip" ? json(clipOf(task.cell)) : task.cell.prompt == 0 ? json() : json(30.5)}});
  return makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kMetrics});
}

const json& row(const json& rows, const char* key, const std::string& value) {
  for (const json& one : rows)
    if (one[key] == value) return one;
  throw std::runtime_error("no row " + value);
}

}  // namespace

class ReportTest : public QObject {
  Q_OBJECT
  QTemporaryDir temporary_;
  std::filesystem::path folder(const char* name) const { return temporary_.filePath(name).toStdString(); }

 private Q_SLOTS:
  void scoresAreAskedForOnce() {
    const Plan plan(test::request(2, 1));
    Store store(folder("scores"));
    QVERIFY(missingScores(plan, store, kMetrics.cells).empty());   // nothing is drawn
    for (const Cell& cell : plan.cells()) store.put(cell.key, test::drawn(cell));
    const auto tasks = missingScores(plan, store, kMetrics.cells);
    QCOMPARE(tasks.size(), std::size_t{6});                        // clip of four, psnr of two
    for (const ScoreTask& task : tasks) {
      QCOMPARE(task.baseline.has_value(), task.metric.id == "psnr");
      store.putScore(task.key, {{"value", 1.5}});
    }
    QVERIFY(missingScores(plan, store, kMetrics.cells).empty());
    QCOMPARE(missingScores(plan, store, {test::metric("ssim", "pair")}).size(), std::size_t{2});
    Metric other = test::metric("clip", "prompt");
    other.weights_sha256 = "other weights";
    QCOMPARE(missingScores(plan, store, {other}).size(), std::size_t{4});
  }

  void theNoiseFloorIsTheFirstPictureAgainstItself() {
    const Plan plan(test::request(2, 1));
    Store store(folder("floor"));
    const Cell first = plan.cells().front(), again = plan.repeat();
    QVERIFY(std::ranges::none_of(plan.cells(), [&](const Cell& cell) { return cell.key == again.key; }));
    const auto report = [&] { return makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kMetrics}); };
    QVERIFY(!wantsRepeat(plan, store, "r"));                       // the first is not there yet
    store.put(first.key, test::drawn(first));
    QVERIFY(wantsRepeat(plan, store, "r") && report()["noise_floor"].is_null() && noiseFloorText(report()).empty());
    store.fail(again.key, "r", "out of memory");
    QVERIFY(!wantsRepeat(plan, store, "r") && wantsRepeat(plan, store, "another run"));
    QCOMPARE(noiseFloorText(report()), std::string("Noise floor: the first bf16 picture, drawn again, could not be made: out of memory."));
    store.put(again.key, test::drawn(again));                      // its pixels are others
    QCOMPARE(missingRepeatScores(plan, store, kMetrics.cells).size(), std::size_t{1});
    const ScoreTask task = missingRepeatScores(plan, store, kMetrics.cells)[0];
    QVERIFY(task.metric.id == "psnr" && task.cell.key == again.key && task.baseline->key == first.key);
    const auto text = [&] { return noiseFloorText(makeReport(plan, store, {.model = "/m", .run = "later", .metrics = kMetrics})); };
    QCOMPARE(text(), std::string("Noise floor: the first bf16 picture, drawn again, has other pixels."));
    store.putScore(task.key, {{"value", 41.25}});
    QVERIFY(missingRepeatScores(plan, store, kMetrics.cells).empty());
    QCOMPARE(text(), std::string("Noise floor: the first bf16 picture, drawn again, lies apart from itself: PSNR 41.25 dB."));
    QVERIFY(htmlReport(makeReport(plan, store, {.model = "/m", .run = "later", .metrics = kMetrics}), folder("floor")).find("PSNR 41.25 dB") != std::string::npos);
  }

  void aFirstPictureThatComesAgainAsItWasIsSaid() {
    const Plan plan(test::request(1, 1));
    Store store(folder("same"));
    Drawn made = test::drawn(plan.cells().front());
    store.put(plan.cells().front().key, made);
    store.put(plan.repeat().key, made);
    QVERIFY(missingRepeatScores(plan, store, kMetrics.cells).empty());
    const json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kMetrics});
    QVERIFY(report["noise_floor"]["same"].get<bool>() && report["noise_floor"]["key"] == plan.repeat().key);
    QCOMPARE(noiseFloorText(report), std::string("Noise floor: the first bf16 picture, drawn again, has the same pixels."));
  }

  void figuresAreMeansWithTheirNumber() {
    const json report = filled(folder("means"), Plan(test::request(6, 2)));
    const json& base = row(report["summary"], "precision", "bf16");
    const json& low = row(report["summary"], "precision", "bnb-nf4");
    QVERIFY(base["baseline"].get<bool>() && base["changes"].empty() && !low["baseline"].get<bool>());
    QCOMPARE(base["figures"]["clip"]["value"].get<double>(), 22.5);
    QCOMPARE(base["figures"]["clip"]["n"].get<int>(), 12);
    QVERIFY(base["figures"]["clip"]["ci95"][0].get<double>() < 22.5 && base["figures"]["clip"]["ci95"][1].get<double>() > 22.5);
    QCOMPARE(low["figures"]["psnr"]["n"].get<int>(), 10);           // those of prompt 0 are equal: infinite, left out
    QVERIFY(!base["figures"].contains("psnr"));
    QVERIFY(std::abs(low["changes"]["clip"]["value"].get<double>() + 1 / 22.5) < 1e-12);
    QCOMPARE(base["figures"]["latency"]["value"].get<double>(), 4.0);   // 0.5 + 1 + 2 + 0.5
    QCOMPARE(base["figures"]["throughput"]["value"].get<double>(), 15.0);
    QCOMPARE(base["figures"]["memory"]["value"].get<double>(), 1000.0);
    QCOMPARE(low["changes"]["memory"]["value"].get<double>(), -0.5);
  }

  void picturesPerMinuteAreThoseOfTheMeanTime() {
    const Plan plan(test::request(8, 1));
    Store store(folder("rates"));
    for (const Cell& cell : plan.cells()) {               // half of the pictures in 1 s, half in 3 s; the other precision in half the time
      Drawn made = test::drawn(cell);
      const double seconds = (cell.prompt % 2 == 0 ? 1.0 : 3.0) / (cell.precision == 0 ? 1 : 2);
      made.report["seconds"] = {{"encode", 0}, {"steps", {seconds}}, {"decode", 0}, {"total", seconds}};
      store.put(cell.key, made);
    }
    const json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kMetrics});
    const json& base = row(report["summary"], "precision", "bf16");
    const json time = base["figures"]["latency"], rate = base["figures"]["throughput"];
    QCOMPARE(time["value"].get<double>(), 2.0);
    QCOMPARE(rate["value"].get<double>(), 30.0);          // the mean of 60 and 20 a minute would be 40
    QCOMPARE(rate["n"].get<int>(), 8);
    for (int end : {0, 1}) QVERIFY(std::abs(rate["ci95"][end].get<double>() - 60 / time["ci95"][1 - end].get<double>()) < 1e-9);
    const json change = row(report["summary"], "precision", "bnb-nf4")["changes"]["throughput"];
    QVERIFY(std::abs(change["value"].get<double>() - 1) < 1e-9);
    QVERIFY(change["ci95"][0].get<double>() <= 1 + 1e-9 && change["ci95"][1].get<double>() >= 1 - 1e-9);
  }

  void aBatchSharesItsTime() {
    json report = test::drawn(Cell{}).report;
    report["batch"] = 4;
    QCOMPARE(latencySeconds(report), 1.0);
    QCOMPARE(figureOf({{"report", report}}, "step").value(), 1.5 / 4);
    report["device_peak_bytes"] = {{"denoise", 77}};
    QCOMPARE(memoryBytes(report), 77.0);
    report["seconds"]["steps"].push_back("a text");     // of an edited file: no time
    QCOMPARE(figureOf({{"report", report}}, "latency").value(), 1.0);
    QCOMPARE(figureOf({{"report", report}}, "step").value(), 1.0 / 4);
  }

  void categoriesAreByPrompt() {
    const json report = filled(folder("categories"), Plan(test::request(4, 1)));
    json even;
    for (const json& entry : report["categories"])
      if (entry["category"] == "even" && entry["precision"] == "bf16" && entry["figure"] == "clip") even = entry;
    QCOMPARE(even["value"].get<double>(), 21.0);
    QCOMPARE(even["n"].get<int>(), 2);
  }

  void aFailedCellIsNamedAndAMissingOneIsNot() {
    const Plan plan(test::request(1, 2));
    Store store(folder("failed"));
    store.put(plan.cell(0, 0, 0).key, test::drawn(plan.cell(0, 0, 0)));
    store.fail(plan.cell(0, 0, 1).key, "r", "out of memory");
    const json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = {}});
    QCOMPARE(report["comparisons"][0]["samples"][1]["error"].get<std::string>(), std::string("out of memory"));
    QVERIFY(report["comparisons"][1]["samples"].empty());
    const json& low = row(report["summary"], "precision", "bnb-nf4");
    QVERIFY(low["failed"] == 1 && low["missing"] == 1 && low["drawn"] == 0);
    const json later = makeReport(plan, store, {.model = "/m", .run = "another", .metrics = {}});
    QCOMPARE(later["comparisons"][0]["samples"].size(), std::size_t{1});
  }

  void layersAreToldOncePerPrecision() {
    const json report = filled(folder("layers"), Plan(test::request(2, 1)));
    for (int i = 0; i < 2; ++i)
      for (int v = 0; v < 2; ++v)
        QCOMPARE(report["comparisons"][i]["samples"][v]["report"]["weights"]["transformer"].contains("layers"), i == 0);
  }

  void tablesHoldTheReportsNumbers() {
    const json report = filled(folder("tables"), Plan(test::request(6, 1)));
    const auto tables = tablesOf(report);
    const auto table = [&](const std::string& name) {
      const auto found = std::ranges::find(tables, name, &Table::name);
      return found == tables.end() ? Table{} : *found;
    };
    QCOMPARE(table("samples").rows.size(), std::size_t{13});
    int compared = 0;
    for (const auto& line : table("summary").rows) {
      if (line[0] == "precision") continue;
      const json& estimate = row(report["summary"], "precision", line[0])[line[2] == "mean" ? "figures" : "changes"][line[1]];
      QCOMPARE(QString::fromStdString(line[3]), QString::fromStdString(estimate["value"].dump()));
      QCOMPARE(std::stod(line[3]), estimate["value"].get<double>());
      ++compared;
    }
    QVERIFY2(compared >= 14, qPrintable(QString::number(compared)));
    QCOMPARE(table("thresholds").rows.size(), report["judged"].size() + 1);
    QCOMPARE(table("steps").rows[1], (std::vector<std::string>{"bf16", "1", "1.0", "1.0", "1.0", "6"}));
    for (const auto& path : writeTables(report, folder("tables"))) QVERIFY(std::filesystem::file_size(path) > 20);
    QCOMPARE(csvText({"x", {{"a,b", "say \"hi\"", "two\nlines", ""}}}), std::string("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n"));
  }

  void errorsGrowAgainstTheBaseline() {
    const std::vector<float> base = {3, 4}, twice = {6, 8}, across = {-4, 3}, zero = {0, 0};
    QCOMPARE(latentError(twice, base).relative, 1.0);
    QCOMPARE(latentError(twice, base).cosine, 1.0);
    QVERIFY(std::abs(latentError(across, base).cosine) < 1e-12 && std::abs(latentError(across, base).relative - std::sqrt(2)) < 1e-12);
    QVERIFY(latentError(zero, zero).relative == 0 && std::isinf(latentError(base, zero).relative));
    QVERIFY_EXCEPTION_THROWN(latentError(base, std::vector<float>{1}), std::invalid_argument);

    const Plan plan(test::request(1, 1));
    Store store(folder("growth"));
    for (const Cell& cell : plan.cells()) {
      Drawn made = test::drawn(cell);
      const float values[] = {3, 4, cell.precision == 0 ? 3.0f : 6.0f, cell.precision == 0 ? 4.0f : 8.0f};
      made.latents.resize(sizeof values);
      std::memcpy(made.latents.data(), values, sizeof values);
      made.latentCalls = 2;
      store.put(cell.key, made);
    }
    json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = {}});
    report["flops"] = {{"bf16", {{"total", 1500}, {"calls", 2}, {"by", {{"linear", 1}}}}}};
    report["dit"] = {{{"precision", "bf16"}, {"tflop", 0.5}}, {{"precision", "int8-dynamic"}, {"tflop", nullptr}}};
    std::map<std::string, std::vector<std::vector<std::string>>> rows;
    for (const Table& table : tablesOf(report)) rows[table.name] = table.rows;
    QCOMPARE(rows["growth_cosine"].size(), std::size_t{3});
    QCOMPARE(rows["growth_cosine"][2][2], report["growth_cosine"][1]["value"].dump());
    QCOMPARE(rows["flops"], (std::vector<std::vector<std::string>>{{"precision", "counted", "value"}, {"bf16", "calls", "2"},
        {"bf16", "total", "1500"}}));
    QCOMPARE(rows["dit"], (std::vector<std::vector<std::string>>{{"precision", "tflop"}, {"bf16", "0.5"}, {"int8-dynamic", ""}}));
    QCOMPARE(report["growth"].size(), std::size_t{2});
    QVERIFY(report["growth"][0]["value"] == 0.0 && report["growth"][1]["value"] == 1.0 && report["growth"][1]["call"] == 2);
  }

  void thePageHoldsEveryPictureOnceAndNothingFromElsewhere() {
    const Plan plan(test::request(3, 2));
    const json report = filled(folder("page"), plan);
    Store store(folder("page"));
    for (const Cell& cell : plan.cells()) store.place(cell.key, folder("page") / cell.image);
    const QString page = QString::fromStdString(htmlReport(report, folder("page")));
    QCOMPARE(page.count("data:image/png;base64,"), 12);
    QCOMPARE(page.count("<figure id=i"), 12);
    QVERIFY(!page.contains("http") && !page.contains("<script"));
    for (const json& cell : report["judged"]) QVERIFY(page.contains(QString::fromStdString(escaped(cell["sentence"].get<std::string>()))));
    for (const Chart& chart : chartsOf(report)) QVERIFY(page.contains("aria-label=\"" + QString::fromStdString(chart.title)));
    for (int i = 0; i < 6; ++i) QVERIFY(page.contains(QString("<section id=c%1>").arg(i)) && page.contains(QString("href=\"#c%1\"").arg(i)));
    // A page that would be too large leads to the files.
    const QString small = QString::fromStdString(htmlReport(report, folder("page"), {.embedded = 20}));
    QCOMPARE(small.count("data:image/png;base64,"), 3);
    QVERIFY(small.contains("9 pictures are not in this file") && small.contains("src=\"bf16/0002-seed1.png\""));
    std::filesystem::remove(folder("page") / plan.cells()[0].image);
    QVERIFY(htmlReport(report, folder("page")).find("bf16/0000-seed0.png is not there") != std::string::npos);
  }

  void thePageShowsTheReportsNumbers() {
    const json report = filled(folder("numbers"), Plan(test::request(6, 2)));
    const auto rows = summaryTable(report).rows;
    const auto column = [&](const char* name) { return static_cast<std::size_t>(std::ranges::find(rows[0], name) - rows[0].begin()); };
    const json& clip = row(report["summary"], "precision", "bf16")["figures"]["clip"];
    const FigureInfo& info = *figureInfo("clip");
    const auto text = [&](const json& value) { return figureText(info, value.get<double>()); };
    QCOMPARE(rows[1][column("CLIP score")], text(clip["value"]) + " (" + text(clip["ci95"][0]) + " to " + text(clip["ci95"][1]) + "), N = 12");
    QCOMPARE(rows[2][column("Time per picture")], std::string("2.50 s (2.50 s to 2.50 s)"));
    QCOMPARE(rows[1][column("PSNR")], std::string("–"));
    QVERIFY(htmlReport(report, folder("numbers")).find(rows[1][column("CLIP score")]) != std::string::npos);
  }

  // Where the small CLIP scored, no page and no table says that it was CLIP, or FID.
  void whatStandsInIsNamedEverywhere() {
    const Plan plan(test::request(2, 1));
    json report = filled(folder("names"), plan);
    Store store(folder("names"));
    for (const Cell& cell : plan.cells()) store.place(cell.key, folder("names") / cell.image);
    QVERIFY(csvText(tablesOf(report)[0]).find(",clip,") != std::string::npos);
    report["labels"] = {{"clip", "CLIP-tiny score"}};
    report.update(analyze(report["comparisons"], report["precisions"], defaultThresholds(), {}, {{"clip", "CLIP-tiny score"}}));
    const std::string page = htmlReport(report, folder("names"));
    QVERIFY(page.find("CLIP-tiny score 20.00") != std::string::npos && page.find("CLIP-tiny score change") != std::string::npos);
    QVERIFY(page.find("CLIP score") == std::string::npos && page.find(" FID ") == page.find(" FID needs"));
    for (const Table& table : tablesOf(report)) {
      const std::string text = csvText(table);
      QVERIFY2(text.find("CLIP score") == std::string::npos && text.find(",clip,") == std::string::npos, text.c_str());
      QCOMPARE(text.find("clip-tiny") != std::string::npos, table.name == "samples" || table.name == "summary" || table.name == "categories");
    }
    for (const Chart& chart : chartsOf(report)) QVERIFY2(chart.title.find("CLIP score") == std::string::npos, chart.title.c_str());
    for (const json& threshold : report["thresholds"]) QVERIFY(threshold["label"] != "CLIP score change");
  }

  void theSameReportOnPaper() {
    const Plan plan(test::request(6, 2));
    const json report = filled(folder("paper"), plan);
    const auto at = folder("paper") / "report.pdf";
    writePdf(report, folder("paper"), at);
    const std::string pdf = readText(at);
    QVERIFY(pdf.starts_with("%PDF-1.") && pdf.find("%%EOF") != std::string::npos && pdf.size() > 10000);
    QCOMPARE(std::distance(std::filesystem::directory_iterator(folder("paper")), {}), 3);   // objects, scores, report.pdf: nothing half written
    QVERIFY_EXCEPTION_THROWN(writePdf(report, folder("paper"), at / "x.pdf"), std::runtime_error);
  }

  void aReportWithoutAnythingIsStillOne() {
    const Plan plan(test::request(1, 1));
    Store store(folder("none"));
    const json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kMetrics});
    QVERIFY(htmlReport(report, folder("none")).find("lacks data, nothing is drawn yet") != std::string::npos);
    writePdf(report, folder("none"), folder("none") / "x.pdf");
    QVERIFY(chartsOf(report).empty());
    for (const Table& table : tablesOf(report)) QCOMPARE(table.name, std::string("thresholds"));
  }

  void ticksAreRound() {
    QCOMPARE(ticks(0, 10), (std::vector<double>{0, 2, 4, 6, 8, 10}));
    const auto narrow = ticks(21.3, 22.1);
    QCOMPARE(narrow.size(), std::size_t{4});
    for (std::size_t i = 0; i < 4; ++i) QVERIFY(std::abs(narrow[i] - (21.4 + 0.2 * static_cast<double>(i))) < 1e-9);
    QCOMPARE(ticks(5, 5), std::vector<double>{5});
    QVERIFY(ticks(NAN, 1).size() == 1 && ticks(0, INFINITY).size() == 1);
  }

  // Ratings that come from no file say beside their figure where they come from: in sentences and tables.
  void ratingsSayWhoseTheyAre() {
    const json comparisons = json::array();
    const SetFigures ratings{{"bnb-nf4", {{"rating", {4.2, 12, Interval{4.05, 4.35}}}}}};
    const json analysed = analyze(comparisons, {"bf16", "bnb-nf4"}, defaultThresholds(), ratings, {{"rating", "Human rating (yours, Compare page)"}});
    std::string said;
    for (const json& cell : analysed["judged"])
      if (cell["threshold"] == "human-rating") said = cell["sentence"];
    QCOMPARE(said, std::string("Human rating (yours, Compare page) 4.20 (95 % 4.05 to 4.35, N = 12) is above 4.00: passes."));
  }

  void ratingsComeFromAStudy() {
    const json study = json::parse(R"({"headline": "with_exclusions", "without_exclusions": {"rating": null}, "with_exclusions": {"rating": {"scores":
      [{"variant": "bnb-nf4", "mos": 4.2, "interval": [4.0, 4.4], "people": 12}]}}})");
    QCOMPARE(ratingsOf(study).at("bnb-nf4").at("rating").n, std::size_t{12});
    QCOMPARE(ratingsOf(json::parse(R"({"fp8": {"value": 3, "n": 2}})")).at("fp8").at("rating").value, 3.0);
    QVERIFY_EXCEPTION_THROWN(ratingsOf(json::array()), std::runtime_error);
    QVERIFY_EXCEPTION_THROWN(ratingsOf(json::parse(R"({"headline": "with_exclusions", "with_exclusions": {"rating": null}})")), std::runtime_error);
  }

  void textsForPeople() {
    QCOMPARE(bytesText(1536), std::string("1.5 KiB"));
    QCOMPARE(bytesText(333e6), std::string("318 MiB"));
    QCOMPARE(secondsText(0.931), std::string("0.93 s"));
    QCOMPARE(secondsText(252), std::string("4 min"));
    QCOMPARE(secondsText(12000), std::string("3 h 20 min"));
    QCOMPARE(figureText(*figureInfo("psnr"), 12.345), std::string("12.35 dB"));
    QCOMPARE(figureText(*figureInfo("clip"), std::nullopt), std::string("–"));
  }
};

QTEST_GUILESS_MAIN(ReportTest)
#include "report_test.moc"
