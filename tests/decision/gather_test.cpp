// Many sources of evidence, and what a mix may take.
#include "decision/evidence_files.h"
#include "decision/figures.h"
#include "decision/gather.h"
#include "decision/mix.h"
#include "tests/decision/fixtures.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>

using namespace quantspot::decision;
using namespace quantspot::decision::test;

namespace {

Found found(const std::string& name, const std::string& date, int pictures, double nf4Clip, bool chosen = false,
    const std::string& reference = "bf16") {
  Found made{.evidence = {}, .chosen = chosen};
  addComparison(made.evidence, comparison({reference, "bnb-nf4"}, {0.30, nf4Clip}, {2, 1}, pictures), name, date);
  return made;
}

std::string sourceOfClip(std::vector<Found> all, int width = 0) { return gathered(std::move(all), 20, width, width).of("bnb-nf4").clipChange->from; }

}  // namespace

class GatherTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void theBestSourceTellsEachFigure() {
    const Found few = found("few", "2026-11-20", 2, 0.2), many = found("many", "2026-11-01", 8, 0.29), later = found("later", "2026-11-02", 8, 0.28);
    QCOMPARE(sourceOfClip({few, many}), std::string("many"));
    QCOMPARE(sourceOfClip({later, many}), std::string("later"));
    QCOMPARE(sourceOfClip({many, found("by hand", "2020-01-01", 2, 0.2, true)}), std::string("by hand"));
    const Evidence all = gathered({few, later, many});
    QCOMPARE(all.sources.size(), std::size_t{3});
    QCOMPARE(all.sources.front().name, std::string("later"));
  }

  // Times of another size say nothing of this one.
  void theSizeThatIsAskedComesFirst() {
    Found other = found("other", "2026-11-20", 64, 0.2);
    for (auto& [precision, known] : other.evidence.byPrecision) known.seconds->width = known.seconds->height = 512;
    other.evidence.width = other.evidence.height = 512;
    const Found same = found("same", "2026-11-01", 2, 0.29);   // 128 × 128
    QCOMPARE(sourceOfClip({other, same}, 128), std::string("same"));
    QCOMPARE(sourceOfClip({other, same}), std::string("other"));
    Question asked = question(80);
    asked.hardware = {.id = "cpu", .name = "here", .gpu = false, .found = true, .memory = 64 * kGiB};
    asked.constraints.maxSeconds = 5;
    asked.width = asked.height = 128;
    asked.evidence = gathered({other}, 20, 128, 128);
    for (const Candidate& one : decide(asked).ranked)
      if (one.precision == "bnb-nf4") QCOMPARE(QString::fromStdString(one.check("time")->text), QString("timed at 512 × 512 only, not at 128 × 128"));
  }

  void changesAgainstAnotherReferenceAreNotMixedIn() {
    const Evidence all = gathered({found("main", "", 8, 0.29), found("fp32's", "", 2, 0.1, false, "fp32")});
    QCOMPARE(all.reference, std::string("bf16"));
    QVERIFY(!all.of("fp32").clipChange && all.of("fp32").seconds);
    QCOMPARE(all.of("bnb-nf4").clipChange->from, std::string("main"));
  }

  void gradesAreFiguresOfTheirOwn() {
    Evidence evidence;
    addRatings(evidence, {{"bf16", {{"value", 4.5}, {"n", 6}, {"ci95", nullptr}}},
                          {"bnb-nf4", {{"value", 3.5}, {"n", 4}, {"ci95", {3.0, 4.0}}, {"change", {{"value", -1.0}, {"n", 4}, {"ci95", nullptr}}}}}},
               "your ratings", "2026-11-21");
    Evidence all = gathered({{evidence, false}, found("main", "", 8, 0.29)});
    QCOMPARE(all.of("bnb-nf4").rating->value, 3.5);
    QCOMPARE(all.of("bnb-nf4").ratingChange->value, -1.0);
    QVERIFY(all.of("bnb-nf4").psnr || all.of("bnb-nf4").clipChange);      // nothing else is pushed aside
    QVERIFY(!all.of("bf16").ratingChange && !all.of("bf16").rating->ci95);
    QCOMPARE(originText(*all.of("bnb-nf4").rating), std::string("N = 4, your ratings, 2026-11-21"));
    QCOMPARE(evidence.sources.front().text, std::string("10 grades of 2 precisions"));
    QVERIFY_EXCEPTION_THROWN(addRatings(all, nlohmann::json::object(), "none"), std::runtime_error);
    QVERIFY_EXCEPTION_THROWN(addRatings(all, nlohmann::json::parse(R"({"bf16": 4})"), "none"), std::runtime_error);
  }

  void aFigureSaysWhereItComesFrom() {
    const Evidence all = gathered({found("/data/evaluation/report.json", "2026-11-20", 8, 0.29)});
    QCOMPARE(originText(*all.of("bnb-nf4").clipChange), std::string("N = 8, report.json of evaluation, 2026-11-20"));
    QCOMPARE(originText(Figure{{0.1, 3, {}}, "the history", ""}), std::string("N = 3, the history"));
    QCOMPARE(signedPercent(-0.0001) + ", " + signedPercent(-0.021) + ", " + signedPercent(0.004), std::string("0.0 %, −2.1 %, +0.4 %"));
    QCOMPARE(sizeText(0, 0), std::string("the model's own size"));   // a run that left it to the model
  }

  void lpipsIsALimit() {
    nlohmann::json report = comparison({"bf16", "bnb-nf4"}, {0.3, 0.29}, {2, 1});
    for (nlohmann::json& one : report["comparisons"]) one["samples"][1]["scores"]["lpips"] = 0.12;
    Question asked = question(80);
    addComparison(asked.evidence, report, "r");
    asked.constraints.maxLpips = 0.1;
    const Decision made = decide(asked);
    const auto nf4 = std::ranges::find(made.ranked, "bnb-nf4", &Candidate::precision);
    QVERIFY(nf4->binds == std::vector<std::string>{"quality"});
    QCOMPARE(QString::fromStdString(nf4->check("quality")->text), QString("LPIPS 0.120, N = 8, r; 0.100 allowed"));
    asked.constraints.maxLpips = -1;
    QVERIFY_EXCEPTION_THROWN(decide(asked), std::invalid_argument);
  }

  // 14 GiB leave bf16 out. The interval decides; one grade can refuse.
  void ratingsAreALimit() {
    Question asked = question(14);
    addRatings(asked.evidence, {{"bnb-int8", {{"value", 3.6}, {"n", 12}, {"ci95", {3.3, 3.9}}}}, {"gguf-q6_k", {{"value", 4.1}, {"n", 3}, {"ci95", {3.2, 5.0}}}},
                                {"bnb-nf4", {{"value", 4.4}, {"n", 20}, {"ci95", {4.0, 4.8}}}}, {"gguf-q2_k", {{"value", 2}, {"n", 1}}}}, "yours");
    QVERIFY(!decide(asked).ranked.front().check("rating"));            // not asked
    asked.constraints.minRating = 4;
    const Decision made = decide(asked);
    const auto of = [&](const char* precision) { return *std::ranges::find(made.ranked, precision, &Candidate::precision); };
    QCOMPARE(QString::fromStdString(of("bnb-int8").check("rating")->text), QString("rated 3.6 of 5 (3.3 to 3.9), N = 12, yours; 4.0 asked"));
    QVERIFY(of("bnb-int8").binds == std::vector<std::string>{"rating"} && of("gguf-q2_k").binds == std::vector<std::string>{"rating"});
    QVERIFY(of("gguf-q6_k").check("rating")->verdict == Verdict::Unknown && of("gguf-q6_k").check("rating")->text.ends_with("more grades would decide"));
    QVERIFY(of("bnb-nf4").check("rating")->verdict == Verdict::Met);
    QVERIFY(of("bf16").check("rating")->text.starts_with("nobody has rated it"));
    QCOMPARE(made.ranked.front().precision, std::string("gguf-q6_k"));
    const auto asks = std::ranges::find(made.path, "Which do people rate 4.0 of 5 or better?", &Node::question);
    QVERIFY(asks != made.path.end());
    QCOMPARE(asks->answer, std::string("2 of 4, 1 of them not for certain"));
    QVERIFY(made.sentence.ends_with("; whether it keeps the limit of rating is not known yet."));   // 3.2 to 5.0
    QVERIFY(std::ranges::any_of(made.changes, [](const Change& change) { return change.text == "if a rating of 3.9 is enough, bnb-int8"; }));
    QVERIFY(std::ranges::any_of(made.unknown, [](const std::string& fact) { return fact.starts_with("rating of gguf-q6_k"); }));
    QVERIFY(made.sentence.find("rated 4.1 of 5 (3.2 to 5.0) (N = 3)") != std::string::npos);
    QCOMPARE(toJson(asked, made)["constraints"]["min_rating"].get<double>(), 4.0);
    asked.evidence.byPrecision["bnb-nf4"].rating.reset();
    const Decision without = decide(asked);
    const auto then = std::ranges::find(without.path, "Which do people rate 4.0 of 5 or better?", &Node::question);
    QCOMPARE(then->answer, std::string("2 of 4, none of them for certain"));
    for (const double grade : {0.9, 5.1, std::nan("")}) {
      asked.constraints.minRating = grade;
      QVERIFY_EXCEPTION_THROWN(decide(asked), std::invalid_argument);
    }
  }

  void runsAreFoundBelowAFolder() {
    const QTemporaryDir folder;
    const auto put = [&](const QString& name, const nlohmann::json& json) {
      QDir(folder.path()).mkpath(QFileInfo(name).path());
      QFile file(folder.filePath(name));
      QVERIFY(file.open(QIODevice::WriteOnly));
      file.write(QByteArray::fromStdString(json.dump()));
    };
    nlohmann::json report = comparison({"bf16", "bnb-nf4"}, {0.3, 0.29}, {2, 1});
    report["model"] = "/models/flux";
    for (const char* name : {"report.json", "a/report.json", "a/b/report.json", "a/b/c/report.json", "a/store/report.json",
        "a/other.json"}) put(name, report);
    const auto runs = findComparisons(folder.path().toStdString());
    QCOMPARE(runs.size(), std::size_t{3});             // not three levels deep, and not among the pictures of a store
    QCOMPARE(findComparisons(folder.path().toStdString(), 2).size(), std::size_t{2});
    QVERIFY(findComparisons("/nowhere").empty());
    Evidence evidence;
    QCOMPARE(readComparison(evidence, runs.front()), std::string("/models/flux"));
    QCOMPARE(QString::fromStdString(evidence.sources.front().date), QDate::currentDate().toString(Qt::ISODate));
    QCOMPARE(evidence.sources.front().n, std::size_t{16});
  }

  // 20 GiB: 24 of bf16 do not fit, 12 of int8 do; a mix may take what is left beside a GiB of activations and the reserve.
  void aMixTakesWhatIsLeft() {
    Question asked = question(20);
    QCOMPARE(roomForMix(asked, "bnb-nf4"), 20 * kGiB - kGpuReserve - kGiB);
    Question packed = asked;             // whose layers are unpacked in tiles: they need more beside them than bf16's
    Option low = option("bnb-nf4", 4, 6);
    for (PhaseNeed& need : low.memory.placements) need.denoise.activations = 3 * kGiB;
    std::erase_if(packed.options, [](const Option& one) { return one.precision == "bnb-nf4"; });
    packed.options.push_back(low);
    QCOMPARE(roomForMix(packed, "bnb-nf4"), 20 * kGiB - kGpuReserve - 3 * kGiB);
    const Option mix = mixOption(asked, "bf16?single_=bnb-nf4", option("bf16?single_=bnb-nf4", 0, 18).memory);
    QCOMPARE(mix.bits, 12.0);
    asked.options.push_back(mix);
    QCOMPARE(decide(asked).ranked.front().precision, std::string("bf16?single_=bnb-nf4"));
    const auto refusal = [](const Question& question) {
      try {
        roomForMix(question, "bnb-nf4");
      } catch (const std::invalid_argument& error) {
        return QString(error.what());
      }
      return QString();
    };
    QVERIFY(refusal(question(80)).contains("bf16 fits as it is"));
    QVERIFY(refusal(question(1)).contains("1.0 GiB leave no room beside the activations"));
    asked.options.erase(asked.options.begin());
    QVERIFY(refusal(asked).contains("needs bf16"));
  }
};

QTEST_GUILESS_MAIN(GatherTest)
#include "gather_test.moc"
