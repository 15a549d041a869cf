// What is measured when nobody says what, and what is said of the rest.
#include "evaluation/metric_choice.h"
#include "evaluation/pareto.h"
#include "evaluation/thresholds.h"
#include "tests/evaluation/fixture.h"

#include <QTest>

using namespace quantspot::evaluation;

namespace {

Metric lacks(Metric metric, const char* entry, bool ready, const char* label) {
  metric.needs = entry, metric.ready = ready, metric.label = label;
  return metric;
}

// As an engine without any download offers them.
std::vector<Metric> bare() {
  Metric msSsim = test::metric("ms-ssim", "pair"), kid = test::metric("kid", "set"), cmmd = test::metric("cmmd", "set");
  msSsim.smallest = 176, kid.gives = "kd-clip-tiny", cmmd.gives = "cmmd-clip-tiny";
  return {lacks(test::metric("clip", "prompt"), "clip-vit-large-patch14", true, "CLIP-tiny"), test::metric("psnr", "pair"), msSsim,
          lacks(test::metric("lpips", "pair"), "lpips-alex", false, "LPIPS (alex)"),
          lacks(test::metric("clip-image", "pair"), "clip-vit-large-patch14", true, "CLIP-tiny-image"), lacks(kid, "inception", true, "KD-CLIP-tiny"),
          lacks(cmmd, "clip-vit-large-patch14-336", true, "CMMD-CLIP-tiny")};
}

std::string refusal(const std::vector<Metric>& offered, const std::vector<std::string>& names) {
  try {
    chooseMetrics(offered, names, 64, 64);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

class MetricChoiceTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void theDefaultNeedsNoDownload() {
    using Names = std::vector<std::string>;
    QCOMPARE(namesOf(chooseMetrics(bare(), {}, 128, 128)), (Names{"clip", "psnr", "kid"}));
    QCOMPARE(namesOf(chooseMetrics(bare(), {}, 176, 200)), (Names{"clip", "psnr", "ms-ssim", "kid"}));
    std::vector<Metric> there = bare();
    for (Metric& metric : there) metric.ready = true, metric.needs = "";
    QCOMPARE(namesOf(chooseMetrics(there, {}, 128, 128)), (Names{"clip", "psnr", "lpips", "kid", "cmmd"}));
    QCOMPARE(namesOf(chooseMetrics(there, {"ms-ssim", "lpips-alex", "lpips"}, 128, 128)), (Names{"ms-ssim", "lpips"}));
  }

  void whatIsLackingIsNamedWithItsCommand() {
    const std::string text = lackingText(chooseMetrics(bare(), {}, 128, 128));
    for (const char* part : {"CLIP-tiny stands in for CLIP score", "LPIPS (alex) is not measured", "KD-CLIP-tiny stands in for KID",
                             "quantspot-cli metrics download",
                             "lpips-alex", "inception"})
      QVERIFY2(text.find(part) != std::string::npos, text.c_str());
    QCOMPARE(lackingText(chooseMetrics(bare(), {"psnr"}, 128, 128)), std::string());
    QVERIFY(refusal(bare(), {"lpips"}).find("quantspot-cli metrics download lpips-alex") != std::string::npos);
    QVERIFY(refusal(bare(), {"beauty"}).find("there are clip, psnr") != std::string::npos);
  }

  void whatStandsInHasANameOfItsOwn() {
    const auto labels = labelsOf(chooseMetrics(bare(), {}, 128, 128));
    QCOMPARE(labels.size(), std::size_t{1});
    QCOMPARE(labels.at("clip"), std::string("CLIP-tiny score"));
    std::vector<PrecisionSummary> two(2);
    two[0].precision = "bf16", two[1].precision = "bnb-nf4";
    for (PrecisionSummary& one : two) one.drawn = 8, one.figures["clip"] = {20, 8, {}};
    two[1].changes["clip"] = {-0.01, 8, {}};
    const auto cells = judge(two, {defaultThresholds()[1]}, labels);
    QVERIFY(cells[0].sentence.starts_with("CLIP-tiny score change"));
  }

  void oneListNamesWhatGaveAScore() {
    QCOMPARE(scoreLabel("clip", "CLIP-tiny"), std::string("CLIP-tiny score"));
    QCOMPARE(scoreLabel("clip", "CLIP"), std::string("CLIP score"));
    QCOMPARE(scoreLabel("clip", ""), std::string("CLIP score"));
    QCOMPARE(scoreLabel("clip-image", "CLIP-tiny-image"), std::string("CLIP-tiny-image"));
    QCOMPARE(scoreLabel("psnr", "PSNR"), std::string("PSNR"));
    Labels labels;
    nameScore(labels, "psnr", "PSNR"), nameScore(labels, "clip", "CLIP");
    QVERIFY(labels.empty());
    nameScore(labels, "clip", "CLIP-tiny"), nameScore(labels, "clip-image", "CLIP-tiny-image");
    const nlohmann::json report = {{"labels", labels}}, real = {{"labels", nlohmann::json::object()}};
    QCOMPARE(columnOf(report, "clip"), std::string("clip-tiny"));
    QCOMPARE(columnOf(report, "clip-image"), std::string("clip-tiny-image"));
    QCOMPARE(columnOf(report, "fd-clip-tiny"), std::string("fd-clip-tiny"));
    QCOMPARE(columnOf(report, "psnr"), std::string("psnr"));
    QCOMPARE(columnOf(real, "clip"), std::string("clip"));
  }

  // Of few pictures, pairs tell more than anything else.
  void pairedLpipsIsTheQualityOfSmallSets() {
    std::vector<PrecisionSummary> two(2);
    for (PrecisionSummary& one : two) one.drawn = 64, one.figures["clip"] = {20, 64, {}};
    QCOMPARE(qualityFigure(two), std::string("clip"));
    two[1].figures["lpips"] = {0.1, 64, {}};
    QCOMPARE(qualityFigure(two), std::string("lpips"));
    two[0].drawn = two[1].drawn = 2048;
    QCOMPARE(qualityFigure(two), std::string("clip"));
  }

  void fidOfFewIsDoubted() {
    std::vector<PrecisionSummary> two(2);
    for (PrecisionSummary& one : two) one.drawn = 64, one.figures["fid"] = {20, 64, {}};
    two[1].changes["fid"] = {0.01, 64, {}};
    QVERIFY(judge(two, {defaultThresholds()[0]})[0].sentence.find("below 2048 FID is far too high") != std::string::npos);
    two[1].changes["fid"].n = 2048;
    QVERIFY(judge(two, {defaultThresholds()[0]})[0].sentence.find("below 2048") == std::string::npos);
    two[1].figures.erase("fid");
    QVERIFY(judge(two, {defaultThresholds()[0]})[0].sentence.find("metrics download inception") != std::string::npos);
    QVERIFY(judge(two, {defaultThresholds()[2]})[0].sentence.find("give the bundle of a study") != std::string::npos);
  }
};

QTEST_GUILESS_MAIN(MetricChoiceTest)
#include "metric_choice_test.moc"
