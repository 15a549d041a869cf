// Sets of pictures: each is looked at once by each network, whatever is asked for later.
#include "evaluation/html_report.h"
#include "evaluation/report.h"
#include "evaluation/score_queue.h"
#include "evaluation/sets_note.h"
#include "evaluation/tables.h"
#include "tests/evaluation/fixture.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>

using namespace quantspot;
using namespace quantspot::evaluation;
using nlohmann::json;

namespace {

// An engine that counts: a picture's features are its last three bytes; a distance is the mean difference of the first.
struct Engine {
  int pictures = 0, distances = 0, paired = 0, files = 0, fail = -1;
  double low = 0.1;

  protocol::ScoreResult answer(const protocol::ScoreParams& params) {
    protocol::ScoreResult result{params.metric, params.metric, 0};
    result.weights_sha256 = "net";
    if (params.return_features) {
      for (const std::string& image : params.images) {
        if (pictures++ == fail) throw std::runtime_error("no network");
        result.features.push_back({static_cast<float>(image.size()), static_cast<float>(image[image.size() - 3])});
      }
      return result;
    }
    ++distances, paired += params.paired ? 1 : 0;
    files += params.reference_file.empty() ? 0 : 1;
    result.value = 0.25 * distances;
    result.n = static_cast<std::int64_t>(params.image_features.size());
    result.ci95 = {{low, 0.9}};
    if (params.metric == "kid") result.published = -0.125;
    result.warnings = {"few"};
    return result;
  }
};

// Asks for everything, sets included; true when the queue then says that all is done.
bool ask(ScoreQueue& queue, Engine& engine) {
  queue.addAll(), queue.addSets();
  while (const auto job = queue.next()) {
    try {
      queue.done(*job, engine.answer(job->params));
    } catch (const std::runtime_error& error) {
      queue.failed(*job, error.what());
    }
  }
  return queue.complete();
}

const MetricChoice kSets{{}, {test::metric("fid", "set", "net"), test::metric("kid", "set", "net")}, {}};

}  // namespace

class SetScoringTest : public QObject {
  Q_OBJECT
  QTemporaryDir temporary_;
  std::filesystem::path folder(const char* name) const { return temporary_.filePath(name).toStdString(); }
  static void fill(Store& store, const Plan& plan) {
    for (const Cell& cell : plan.cells()) store.put(cell.key, test::drawn(cell));
  }

 private Q_SLOTS:
  void aSecondRunComputesNothing() {
    const Plan plan(test::request(4, 2));
    Store store(folder("twice"));
    fill(store, plan);
    Engine engine;
    {
      ScoreQueue queue(plan, store, kSets, "default", {});
      QVERIFY(ask(queue, engine));
      QCOMPARE(queue.computedFeatures(), std::size_t{16});
    }
    QCOMPARE(engine.pictures, 16);       // FID and KID go by the same features
    QVERIFY(engine.distances == 2 && engine.paired == 2);      // the baseline's pictures are of the same prompts and seeds
    ScoreQueue again(plan, store, kSets, "default", {});
    QVERIFY(ask(again, engine));
    QVERIFY(engine.pictures == 16 && engine.distances == 2 && again.computedFeatures() == 0);
    // More prompts: only theirs are looked at, and the distances are those of the larger sets.
    const Plan larger(test::request(5, 2));
    fill(store, larger);
    ScoreQueue more(larger, store, kSets, "default", {});
    QVERIFY(ask(more, engine));
    QCOMPARE(engine.pictures, 20);
    QCOMPARE(engine.distances, 4);
    // Another network sees all of them anew.
    Metric cmmd = test::metric("cmmd", "set", "another net");
    ScoreQueue other(larger, store, {{}, {cmmd}, {}}, "default", {});
    QVERIFY(ask(other, engine));
    QCOMPARE(engine.pictures, 40);
  }

  void figuresComeFromTheStore() {
    const Plan plan(test::request(4, 2));
    Store store(folder("figures"));
    fill(store, plan);
    QVERIFY(setFiguresOf(plan, store, kSets.sets, {}).told.is_null());     // nothing was computed
    Engine engine;
    ScoreQueue queue(plan, store, kSets, "default", {});
    ask(queue, engine);
    const SetReport found = setFiguresOf(plan, store, kSets.sets, {});
    QVERIFY(!found.figures.contains("bf16"));                              // it is what the other is compared with
    const Estimate& fid = found.figures.at("bnb-nf4").at("fid");
    QVERIFY(fid.value == 0.25 && fid.n == 8 && fid.ci95 && fid.ci95->high == 0.9);
    QVERIFY(found.told["against"] == "bf16" && found.told["n"] == 8 && found.told["warnings"][0] == "few");
    const json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kSets});
    QCOMPARE(report["summary"][1]["figures"]["kid"]["value"].get<double>(), 0.5);
    QCOMPARE(report["sets"]["against"].get<std::string>(), std::string("bf16"));
    // FID of so few is greyed and says why; KID is not.
    QVERIFY(report["summary"][1]["figures"]["fid"]["caution"].get<std::string>().find("below 2048") != std::string::npos);
    QVERIFY(!report["summary"][1]["figures"]["kid"].contains("caution"));
    const TextTable table = summaryTable(report);
    QCOMPARE(table.cautions.size(), std::size_t{1});
    const auto& [at, why] = *table.cautions.begin();
    QVERIFY(at.first == 2 && table.rows[0][at.second] == "FID" && table.rows[2][at.second] == "0.25 (0.10 to 0.90), N = 8");
    QVERIFY(htmlReport(report, folder("figures")).find("<td class=\"n lacks\" title=\"8 pictures: below 2048") != std::string::npos);
  }

  // KID goes by pairs against the baseline; the usual figure is told beside it, and where the interval reaches 0 a sentence says so.
  void distancesOfPairsAreExplained() {
    const Plan plan(test::request(4, 2));
    Store store(folder("pairs"));
    fill(store, plan);
    Engine engine;
    engine.low = -0.1;
    ScoreQueue queue(plan, store, kSets, "default", {});
    ask(queue, engine);
    const json report = makeReport(plan, store, {.model = "/m", .run = "r", .metrics = kSets});
    QCOMPARE(report["sets"]["published"].dump(), std::string(R"({"bnb-nf4":{"kid":-0.125}})"));
    const std::string note = pairsNote(report);
    QVERIFY2(note.starts_with("KID by pairs: no picture meets the baseline's of its own prompt and seed"), note.c_str());
    QVERIFY2(note.ends_with("KID does not tell bnb-nf4 from the baseline."), note.c_str());
    QVERIFY(figuresNote(report).find(setsNote(report)) != std::string::npos && setsNote(report).ends_with(note));
    const auto tables = tablesOf(report);
    const auto& rows = std::ranges::find(tables, "summary", &Table::name)->rows;
    QVERIFY(std::ranges::count(rows, std::vector<std::string>{"bnb-nf4", "kid", "published", "-0.125", "", "", "8"}) == 1);
    // FID is drawn in pairs, too, but is the usual figure.
    QVERIFY(pairsNote(makeReport(plan, store, {.model = "/m", .run = "r", .metrics = {{}, {kSets.sets[0]}, {}}})).empty());
    QVERIFY(setsNote(json{{"sets", nullptr}}).empty());
  }

  void tooFewPicturesAreNoSet() {
    const Plan plan(test::request(5, 1));
    Store store(folder("few"));
    fill(store, plan);
    Engine engine;
    ScoreQueue queue(plan, store, kSets, "default", {});
    QVERIFY(ask(queue, engine));
    QVERIFY(engine.pictures == 0 && setFiguresOf(plan, store, kSets.sets, {}).told.is_null());
  }

  // Prompts that one precision lacks are in no set: all sets show the same.
  void setsShowTheSamePrompts() {
    const Plan plan(test::request(7, 1));
    Store store(folder("same"));
    for (const Cell& cell : plan.cells())
      if (cell.prompt != 2 || cell.precision == 0) store.put(cell.key, test::drawn(cell));
    Engine engine;
    ScoreQueue queue(plan, store, kSets, "default", {});
    QVERIFY(ask(queue, engine));
    QCOMPARE(engine.pictures, 12);
    QCOMPARE(setFiguresOf(plan, store, kSets.sets, {}).told["n"].get<int>(), 6);
  }

  void realPicturesAreASetOfTheirOwn() {
    const Plan plan(test::request(6, 1));
    Store store(folder("real"));
    fill(store, plan);
    std::filesystem::create_directories(folder("photos"));
    for (const char* name : {"b.jpg", "a.png", "notes.txt"}) std::ofstream(folder("photos") / name) << name;
    const RealPictures real = realPictures(folder("photos"));
    QCOMPARE(real.files.size(), std::size_t{2});
    Engine engine;
    ScoreQueue queue(plan, store, kSets, "default", real);
    QVERIFY(ask(queue, engine));
    QCOMPARE(engine.pictures, 14);
    QCOMPARE(engine.distances, 4);       // now the baseline has its own
    const SetReport found = setFiguresOf(plan, store, kSets.sets, real);
    QVERIFY(found.figures.contains("bf16") && found.told["against"] == folder("photos").string());
    QVERIFY(setFiguresOf(plan, store, kSets.sets, {}).told.is_null());

    std::ofstream(folder("real.npz")) << "an archive";
    const RealPictures file = realPictures(folder("real.npz"));
    QVERIFY(file.statistics);
    ScoreQueue statistics(plan, store, kSets, "default", file);
    QVERIFY(ask(statistics, engine));
    QVERIFY(engine.pictures == 14 && engine.files == 4);   // features are there; the file goes as it is
    QVERIFY_EXCEPTION_THROWN(realPictures(folder("nowhere")), std::runtime_error);
    std::filesystem::create_directories(folder("empty"));
    QVERIFY_EXCEPTION_THROWN(realPictures(folder("empty")), std::runtime_error);
    QVERIFY(realPictures("").files.empty());
  }

  void damagedFeaturesAreAbsent() {
    Store store(folder("damaged"));
    store.putFeatures("abcdef", {1.5f, -2.25f});
    QCOMPARE(store.features("abcdef").value(), (std::vector<float>{1.5f, -2.25f}));
    QVERIFY(!store.features("abc000"));
    const auto file = folder("damaged") / "features" / "ab" / "abcdef";
    std::string bytes = readText(file);
    bytes.back() ^= 1;
    std::ofstream(file, std::ios::binary) << bytes;
    QVERIFY(!store.features("abcdef"));
    std::ofstream(file, std::ios::binary) << "x";
    QVERIFY(!store.features("abcdef"));
  }

  // A network that fails on a picture leaves its sets without a distance and the queue comes to its end; the next run tries again.
  void whatFailsIsToldAndTriedAgainLater() {
    const Plan plan(test::request(6, 1));
    Store store(folder("fails"));
    fill(store, plan);
    Engine engine;
    engine.fail = 3;
    ScoreQueue queue(plan, store, kSets, "default", {});
    QVERIFY(ask(queue, engine));
    QCOMPARE(queue.reasons().at("fid"), std::string("no network"));
    QCOMPARE(engine.distances, 0);
    engine.fail = -1;
    ScoreQueue again(plan, store, kSets, "default", {});
    QVERIFY(ask(again, engine));
    QCOMPARE(engine.distances, 2);
  }

  void severalEnginesTakeDifferentWork() {
    const Plan plan(test::request(9, 1));
    Store store(folder("several"));
    fill(store, plan);
    ScoreQueue queue(plan, store, kSets, "default", {});
    queue.addSets();
    Engine engine;
    const auto one = queue.next(), two = queue.next(), three = queue.next();
    QVERIFY(one && two && three && !queue.next());   // 18 pictures; distances wait for their features
    QVERIFY(one->params.images.size() == 8 && three->params.images.size() == 2 && !queue.complete());
    for (const auto& job : {two, three, one}) queue.done(*job, engine.answer(job->params));
    const auto distance = queue.next();
    QVERIFY(distance && distance->params.image_features.size() == 9);
  }
};

QTEST_GUILESS_MAIN(SetScoringTest)
#include "set_scoring_test.moc"
