#include "decision/figures.h"
#include "tests/decision/fixtures.h"

#include <QTest>

#include <random>

using namespace quantspot::decision;
using namespace quantspot::decision::test;

namespace {

std::string answer(const Question& question) {
  const Decision made = decide(question);
  return made.chosen ? made.ranked[*made.chosen].precision : "";
}

const Candidate& candidate(const Decision& decision, const std::string& precision) {
  return *std::ranges::find(decision.ranked, precision, &Candidate::precision);
}

QString sentence(const Question& question) { return QString::fromStdString(decide(question).sentence); }

bool says(const std::vector<Change>& changes, const std::string& text) {
  return std::ranges::any_of(changes, [&](const Change& change) { return change.text == text; });
}

// Better answers have lower numbers: not offloaded before offloaded, then by bits.
int badness(const Decision& decision) {
  if (!decision.chosen) return 1000;
  const Candidate& chosen = decision.ranked[*decision.chosen];
  return (isOffload(chosen.placement) ? 100 : 0) - static_cast<int>(chosen.bits);
}

}  // namespace

class DecideTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void memoryBinds() {
    const Decision made = decide(question(15.0));
    QCOMPARE(answer(question(15.0)), std::string("bnb-int8"));   // 9 + 0.1 to encode, 12 + 1 to denoise, 0.6 of the driver
    QCOMPARE(candidate(made, "bf16").binds, std::vector<std::string>{"memory"});
    QVERIFY(candidate(made, "bnb-int8").placement == Placement::InTurn);
    QVERIFY2(says(made.changes, "with 10.6 GiB more, bf16"), made.changes.front().text.c_str());
    QVERIFY2(says(made.changes, "below 13.6 GiB, gguf-q6_k"), made.changes.back().text.c_str());
  }

  void smallModelsAreToldInMebibytes() {
    const std::int64_t mib = std::int64_t{1} << 20;
    QCOMPARE(gib(kGiB), std::string("1.0 GiB"));
    QCOMPARE(gib(kGiB - mib), std::string("1023 MiB"));
    QCOMPARE(gib(168 * mib), std::string("168 MiB"));            // told apart from 170
    QCOMPARE(gib(3 * mib / 2), std::string("1.5 MiB"));
  }

  void whatFitsTogetherNeedNotTakeTurns() {
    const Decision made = decide(question(40));
    QVERIFY(made.ranked[0].placement == Placement::Together);
    QCOMPARE(made.ranked[0].precision, std::string("bf16"));
  }

  void timeBinds() {
    Question asked = question(40);
    asked.hardware = {.id = "cpu", .name = "this machine's CPU", .gpu = false, .found = true, .memory = 64 * kGiB};
    addComparison(asked.evidence, comparison({"bf16", "bnb-int8", "bnb-nf4"}, {0.30, 0.30, 0.29}, {9, 4, 6}), "report.json");
    asked.constraints.maxSeconds = 5;
    QCOMPARE(answer(asked), std::string("bnb-int8"));
    const Decision made = decide(asked);
    QCOMPARE(candidate(made, "bf16").binds, std::vector<std::string>{"time"});
    QVERIFY(candidate(made, "gguf-q6_k").check("time")->verdict == Verdict::Unknown);   // nobody timed it
    QVERIFY(says(made.changes, "with 4.0 s more per picture, bf16"));
  }

  void timesOfOtherStepsBoundOnly() {
    Question asked = question(40);
    asked.hardware = {.id = "cpu", .name = "this machine's CPU", .gpu = false, .found = true, .memory = 64 * kGiB};
    addComparison(asked.evidence, comparison({"bf16"}, {0.30}, {8}), "report.json");   // 20 steps
    const auto said = [&asked](int steps, double limit) {
      asked.steps = steps, asked.constraints.maxSeconds = limit;
      return *candidate(decide(asked), "bf16").check("time");
    };
    QVERIFY(said(20, 9).verdict == Verdict::Met && said(20, 7).verdict == Verdict::Broken);
    QVERIFY(said(40, 17).verdict == Verdict::Met && said(40, 7).verdict == Verdict::Broken);    // between 8 and 16 s
    QVERIFY(said(5, 9).verdict == Verdict::Met && said(5, 1.9).verdict == Verdict::Broken);     // between 2 and 8 s
    for (const auto& [steps, limit] : {std::pair(40, 12.0), std::pair(5, 4.0)}) {
      QVERIFY(said(steps, limit).verdict == Verdict::Unknown);
      QCOMPARE(said(steps, limit).text, "timed at 20 steps only, not at " + std::to_string(steps));
    }
    QVERIFY2(said(40, 7).text.starts_with("at least 8.0 s per picture, as 20 steps took 8.0 s, N = 8"), said(40, 7).text.c_str());
    QVERIFY2(said(40, 17).text.starts_with("at most 16.0 s per picture, as 20 steps took 8.0 s, N = 8"), said(40, 17).text.c_str());
    said(40, 7);
    QVERIFY(says(decide(asked).changes, "with 9.0 s more per picture, bf16"));
  }

  void timesOfAnotherMachineProveNothing() {
    Question asked = question(40);
    addComparison(asked.evidence, comparison({"bf16", "bnb-int8"}, {0.3, 0.3}, {1, 1}), "report.json");
    asked.constraints.maxSeconds = 5;
    QVERIFY(candidate(decide(asked), "bf16").check("time")->verdict == Verdict::Unknown);
    // But no GPU is faster than its memory: 24 GiB in each of 20 steps at 2,039 GB/s are 0.25 s.
    asked.constraints.maxSeconds = 0.2;
    QVERIFY(candidate(decide(asked), "bf16").check("time")->verdict == Verdict::Broken);
    QVERIFY(candidate(decide(asked), "bnb-nf4").check("time")->verdict == Verdict::Unknown);
  }

  void qualityBinds() {
    Question asked = question(10);
    addComparison(asked.evidence, comparison({"bf16", "bnb-nf4", "gguf-q2_k"}, {0.30, 0.29, 0.20}, {1, 1, 1}), "report.json");
    asked.constraints.minClipChange = -0.05;
    QCOMPARE(answer(asked), std::string("bnb-nf4"));
    const Decision made = decide(asked);
    QCOMPARE(candidate(made, "gguf-q2_k").binds, std::vector<std::string>{"quality"});
    asked.options.erase(asked.options.begin() + 3);
    QVERIFY(!decide(asked).chosen);
    QVERIFY(says(decide(asked).changes, "if the CLIP score may change by −25.8 %, gguf-q2_k"));   // 0.2875 of 0.3875 on average
  }

  // A score of the small CLIP is called so in every sentence, and in the JSON.
  void whatScoredIsNamed() {
    nlohmann::json report = comparison({"bf16", "bnb-nf4", "gguf-q2_k"}, {0.30, 0.29, 0.20}, {1, 1, 1});
    report["labels"] = {{"clip", "CLIP-tiny score"}};
    Question asked = question(10);
    addComparison(asked.evidence, report, "report.json");
    QCOMPARE(asked.evidence.clipLabel(), std::string("CLIP-tiny score"));
    QVERIFY(sentence(asked).contains("CLIP-tiny score −2.6 % (N = 8)"));
    asked.constraints.minClipChange = -0.05;
    asked.options.erase(asked.options.begin() + 3);
    const Decision made = decide(asked);
    QVERIFY(says(made.changes, "if the CLIP-tiny score may change by −25.8 %, gguf-q2_k"));
    const std::string text = toText(asked, made);
    QVERIFY2(text.find("CLIP-tiny score") != std::string::npos && text.find("CLIP score") == std::string::npos, text.c_str());
    QCOMPARE(toJson(asked, made)["evidence"]["precisions"]["gguf-q2_k"]["clip_change"]["label"].get<std::string>(), std::string("CLIP-tiny score"));
    // Of two sources that measured with different weights, each figure keeps its own name.
    addComparison(asked.evidence, comparison({"bf16", "bnb-int8"}, {0.30, 0.20}, {1, 1}), "other.json");
    QCOMPARE(asked.evidence.clipLabel(), std::string("CLIP score"));
    QVERIFY(candidate(decide(asked), "bnb-int8").check("quality")->text.starts_with("CLIP score −"));
    QVERIFY(candidate(decide(asked), "gguf-q2_k").check("quality")->text.starts_with("CLIP-tiny score −"));
  }

  void visibilityBindsByTheUpperEnd() {
    Question asked = question(14);
    asked.constraints.maxVisible = 0.1;
    addStudy(asked.evidence, study({detection("bnb-int8", "noticeable", 0.31, 0.2, 0.41), detection("gguf-q6_k", "undecided", 0.04, 0.0, 0.15),
                                    detection("bnb-nf4", "not-noticeable", 0.02, 0.0, 0.08)}), "study");
    const Decision made = decide(asked);
    QCOMPARE(candidate(made, "bnb-int8").binds, std::vector<std::string>{"visibility"});
    QVERIFY(candidate(made, "gguf-q6_k").check("visibility")->verdict == Verdict::Unknown);
    QVERIFY(candidate(made, "bnb-nf4").check("visibility")->verdict == Verdict::Met);
    QVERIFY(candidate(made, "bf16").check("visibility")->verdict == Verdict::Met);
    QVERIFY(says(made.changes, "if 41 % of people may notice, bnb-int8"));
  }

  void oneKindOfTrialHidesNoOther() {
    Evidence evidence;
    addStudy(evidence, study({detection("bnb-nf4", "noticeable", 0.3, 0.2, 0.4, "spot"), detection("bnb-nf4", "not-noticeable", 0.0, 0.0, 0.05)}),
        "study");
    QCOMPARE(evidence.of("bnb-nf4").seen->verdict, std::string("noticeable"));
  }

  void hardwareBinds() {
    Question asked = question(40);
    asked.options.push_back(option("torchao-fp8dq", 8, 12));
    asked.options.push_back(option("int8-dynamic", 8, 12));
    const Decision a100 = decide(asked);
    QCOMPARE(candidate(a100, "torchao-fp8dq").binds, std::vector<std::string>{"hardware"});
    QCOMPARE(candidate(a100, "int8-dynamic").binds, std::vector<std::string>{"hardware"});
    QVERIFY(a100.path.front().leave.size() == 2);
    asked.hardware = knownGpu("h100");
    QVERIFY(candidate(decide(asked), "torchao-fp8dq").possible());
  }

  void offloadIsTheLastResort() {
    Question asked = question(6);
    QVERIFY(!decide(asked).chosen);
    QVERIFY2(sentence(asked).startsWith("Nothing fits 6.0 GiB: the smallest, `gguf-q2_k`, needs 9.7 GiB its parts in turn."),
        qPrintable(sentence(asked)));
    asked.constraints.offload = true;
    const Decision made = decide(asked);
    QCOMPARE(made.ranked[0].precision, std::string("bf16"));
    QVERIFY(made.ranked[0].placement == Placement::Group);
    QVERIFY(says(made.changes, "with 3.7 GiB more, bnb-nf4"));
    // A lower precision whose weights stay is a better answer than bf16 whose weights travel.
    asked.constraints.maxMemory = 10 * kGiB;
    QCOMPARE(answer(asked), std::string("bnb-nf4"));
  }

  void statedMachinesAreAskedToo() {
    Question asked = question(0);
    asked.constraints.maxMemory = 0;
    asked.hardware = statedHardware(false, 10 * kGiB, {"avx2"});
    QVERIFY(!asked.hardware.found && !asked.hardware.bf16);
    QCOMPARE(answer(asked), std::string("bnb-nf4"));
    QVERIFY2(sentence(asked).contains("of 10.0 GiB on a CPU with 10.0 GiB"), qPrintable(sentence(asked)));
    QVERIFY(candidate(decide(asked), "bf16").check("hardware")->text.find("no BF16 instructions") != std::string::npos);
    asked.hardware = statedHardware(false, 40 * kGiB, {"avx512", "avx512_bf16"});
    QCOMPARE(answer(asked), std::string("bf16"));
    QVERIFY(!candidate(decide(asked), "bf16").check("hardware"));
    QVERIFY(statedHardware(true, kGiB, {"fp8"}).bf16 && statedHardware(true, kGiB, {}).bf16 && !statedHardware(true, kGiB, {}).fp8);
    QVERIFY(!statedHardware(true, kGiB, {"fp16"}).bf16);
    QVERIFY_EXCEPTION_THROWN(statedHardware(true, kGiB, {"avx2"}), std::invalid_argument);
  }

  // Where there is no evidence at all nobody says of the reference itself that it was not measured.
  void theReferenceMeetsEveryQuality() {
    Question asked = question(0);
    asked.evidence = {};
    asked.constraints.minPsnr = 30, asked.constraints.maxLpips = 0.1, asked.constraints.minClipChange = -0.05, asked.constraints.maxVisible = 0.1;
    const Decision made = decide(asked);
    for (const char* asks : {"quality", "visibility"}) {
      QVERIFY(candidate(made, "bf16").check(asks)->verdict == Verdict::Met);
      QVERIFY(candidate(made, "bnb-nf4").check(asks)->verdict == Verdict::Unknown);
    }
  }

  void eachReasonNamesItsPrecisionsOnce() {
    Question asked = question(40);
    addComparison(asked.evidence, comparison({"bf16"}, {0.30}, {1}), "report.json");
    asked.constraints.minClipChange = -0.05;
    asked.constraints.minPsnr = 30;
    QStringList facts;
    for (const std::string& fact : decide(asked).unknown) facts << QString::fromStdString(fact);
    const QStringList quality = facts.filter("quality of ");
    QCOMPARE(quality.size(), 2);                                // CLIP score, PSNR
    for (const QString& fact : quality) QVERIFY2(fact.count("bnb-nf4") == 1 && fact.count("gguf-q6_k") == 1, qPrintable(fact));
    QVERIFY2(quality[0] != quality[1] && facts.filter("PSNR was not measured").size() == 1, qPrintable(facts.join("\n")));
  }

  void theSentenceSaysWhatIsKnown() {
    Question asked = question(10);
    QCOMPARE(sentence(asked), QString("Use `bnb-nf4`: 9.7 GiB of 10.0 GiB on A100 80 GB, its parts in turn; its quality was neither measured nor judged."));
    QVERIFY(decide(asked).unknown.front().starts_with("There is no evidence"));
    addComparison(asked.evidence, comparison({"bf16", "bnb-nf4"}, {0.30, 0.297}, {1, 1}), "report.json");
    addStudy(asked.evidence, study({detection("bnb-nf4", "not-noticeable", 0.02, 0.0, 0.08)}), "study");
    asked.constraints.maxVisible = 0.1;
    QCOMPARE(sentence(asked), QString("Use `bnb-nf4`: 9.7 GiB of 10.0 GiB on A100 80 GB, its parts in turn, CLIP score −0.8 % (N = 8), "
                                      "at most 8 % of people notice it (\"study 3\", 120 answers), 1.0 s per picture on cpu (N = 8)."));
    asked.width = asked.height = 256, asked.steps = 8;          // other pictures than those that were timed
    QVERIFY2(sentence(asked).contains("1.0 s per picture on cpu (N = 8, 128 × 128, 20 steps)"), qPrintable(sentence(asked)));
  }

  void withMeasurementsOfAllTheyGiveTheOrder() {
    Question asked = question(40);
    QCOMPARE(decide(asked).order, std::string("bits per weight"));
    // Here 6 bits came out nearer to the reference than 8.
    addComparison(asked.evidence, comparison({"bf16", "gguf-q6_k", "bnb-int8", "bnb-nf4", "gguf-q2_k"}, {0.3, 0.3, 0.3, 0.3, 0.3}, {1, 1, 1, 1, 1}),
        "report.json");
    const Decision made = decide(asked);
    QCOMPARE(made.order, std::string("PSNR against the reference"));
    QCOMPARE(made.ranked[1].precision, std::string("gguf-q6_k"));
    QCOMPARE(made.ranked[2].precision, std::string("bnb-int8"));
  }

  void thePathLosesOneByOne() {
    Question asked = question(14);
    asked.constraints.maxVisible = 0.1;
    addStudy(asked.evidence, study({detection("bnb-int8", "noticeable", 0.31, 0.2, 0.41)}), "study");
    const Decision made = decide(asked);
    std::vector<std::string> left;
    for (const Option& one : asked.options) left.push_back(one.precision);
    for (const Node& node : made.path) {
      std::vector<std::string> both = node.stay;
      both.insert(both.end(), node.leave.begin(), node.leave.end());
      QVERIFY2(std::ranges::is_permutation(both, left), node.question.c_str());
      left = node.stay;
    }
    QCOMPARE(left, std::vector<std::string>{answer(asked)});
    QVERIFY(QString::fromStdString(toText(asked, made)).contains("What would change the answer"));
    const nlohmann::json json = toJson(asked, made);
    QCOMPARE(json["chosen"].get<std::string>(), answer(asked));
    QCOMPARE(json["ranked"].size(), asked.options.size());
    QCOMPARE(json["path"].size(), made.path.size());
  }

  // Whatever is known, more of anything never gives a worse answer, and every change that is told does what it says.
  void moreNeverMakesItWorse() {
    std::mt19937 random(7);
    const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); };
    for (int round = 0; round < 300; ++round) {
      Question asked = question(uniform(1, 40));
      asked.constraints.offload = random() % 2;
      asked.hardware = {.id = "cpu", .name = "here", .gpu = false, .found = true, .memory = 64 * kGiB, .bandwidth = uniform(1e10, 1e11)};
      if (random() % 2) addComparison(asked.evidence,
          comparison({"bf16", "bnb-int8", "bnb-nf4"}, {0.3, uniform(0.25, 0.31), uniform(0.2, 0.31)}, {uniform(1, 9), uniform(1, 9), uniform(1, 9)}),
          "r");
      if (random() % 2) addStudy(asked.evidence,
          study({detection("bnb-int8", "undecided", 0.1, 0.0, uniform(0.02, 0.4)), detection("gguf-q6_k", "noticeable", 0.3, uniform(0, 0.3), 0.5)}),
          "s");
      if (random() % 2) asked.constraints.maxSeconds = uniform(0.5, 9);
      if (random() % 2) asked.constraints.minClipChange = uniform(-0.2, 0);
      if (random() % 2) asked.constraints.maxVisible = uniform(0.02, 0.5);
      const Decision before = decide(asked);
      for (int which = 0; which < 4; ++which) {
        Question more = asked;
        if (which == 0) more.constraints.maxMemory += static_cast<std::int64_t>(uniform(0, 20) * kGiB);
        if (which == 1 && more.constraints.maxSeconds > 0) more.constraints.maxSeconds += uniform(0, 5);
        if (which == 2 && more.constraints.minClipChange) *more.constraints.minClipChange -= uniform(0, 0.2);
        if (which == 3 && more.constraints.maxVisible) *more.constraints.maxVisible += uniform(0, 0.4);
        QVERIFY2(badness(decide(more)) <= badness(before), qPrintable(QString("round %1, %2").arg(round).arg(which)));
      }
      for (const Change& change : before.changes) {
        if (change.constraint != "memory" || change.by <= 0) continue;
        Question more = asked;
        more.constraints.maxMemory += static_cast<std::int64_t>(change.by);
        QCOMPARE(answer(more), change.precision);
      }
    }
  }

  void nonsenseIsRefused() {
    Question asked = question(10);
    asked.options.clear();
    QVERIFY_EXCEPTION_THROWN(decide(asked), std::invalid_argument);
    asked = question(10);
    asked.constraints.maxSeconds = -1;
    QVERIFY_EXCEPTION_THROWN(decide(asked), std::invalid_argument);
    asked = question(0);
    asked.hardware.memory = 0;
    QVERIFY_EXCEPTION_THROWN(decide(asked), std::invalid_argument);
    Evidence evidence;
    QVERIFY_EXCEPTION_THROWN(addComparison(evidence, {{"schema", 1}}, "x.json"), std::runtime_error);
    QVERIFY_EXCEPTION_THROWN(addStudy(evidence, nlohmann::json::array(), "x.json"), std::runtime_error);
    nlohmann::json many = detection("bnb-nf4", "undecided", 0.1, 0.0, 0.2);
    many["trials"] = 1e300;              // no int holds it
    QVERIFY_EXCEPTION_THROWN(addStudy(evidence, study({many}), "x.json"), std::runtime_error);
    many["trials"] = 2'000'000'000;      // and no int the sum of them
    addStudy(evidence, study({many, many}), "x.json");
    QCOMPARE(evidence.sources.back().n, std::size_t{4'000'000'000});
    QVERIFY_EXCEPTION_THROWN(addScan(evidence, nlohmann::json::object(), "bnb-nf4"), std::runtime_error);
  }
};

QTEST_GUILESS_MAIN(DecideTest)
#include "decide_test.moc"
