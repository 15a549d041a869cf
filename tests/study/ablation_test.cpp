// Studies over groups of layers, and the policy that their ranking becomes.
#include "study/ablation.h"
#include "study/analysis.h"
#include "study/error.h"
#include "tests/study/reason.h"
#include "tests/study/sample_study.h"

#include <QTest>


using namespace quantspot::study;
using quantspot::study::test::reason;

namespace {

// An analysis of which only ranking and verdicts count here: variant, detection, verdict.
QJsonObject analysisOf(const std::vector<std::tuple<QString, double, QString>>& figures) {
  QJsonArray detection, visibility;
  for (const auto& [variant, value, verdict] : figures) {
    detection << QJsonObject{{"variant", variant}, {"verdict", verdict}};
    visibility << QJsonObject{{"variant", variant}, {"detection", value}};
  }
  return {{"study", "0123456789abcdef"}, {"headline", "with_exclusions"},
      {"with_exclusions", QJsonObject{{"detection", detection}, {"visibility", visibility}}}};
}

Protocol ablation() { return ablationProtocol(sample::protocol(), layerGroups("attn,ff+proj_out,norm"), "bnb-nf4"); }

}  // namespace

class AblationTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void eachGroupIsLowInOneVariant() {
    const Protocol p = ablation();
    QCOMPARE(p.variants, (QStringList{"bf16", "bf16?attn=bnb-nf4", "bf16?ff=bnb-nf4&proj_out=bnb-nf4", "bf16?norm=bnb-nf4"}));
    QVERIFY(isAblation(p) && !isAblation(sample::protocol()));
    QCOMPARE(protocolFromJson(toJson(p)).variants, p.variants);   // what a study is frozen from
  }

  void whatMakesNoGroupsIsRefused() {
    QVERIFY(reason([] { layerGroups(""); }).contains("at least one"));
    QVERIFY(reason([] { layerGroups("attn,attn"); }).contains("'attn' stands in two groups"));
    QVERIFY(reason([] { layerGroups("a b"); }).contains("'a b' holds a space"));
    QVERIFY(reason([] { layerGroups("a=c"); }).contains("& = ?"));
    QVERIFY(reason([] { layerGroups("a,+"); }).contains("names no pattern"));
    QVERIFY(reason([] { ablationProtocol(sample::protocol(), layerGroups("a"), "bf16"); }).contains("other than the reference"));
    QVERIFY(reason([] { policyFromVisibility(sample::protocol(), {}); }).contains("not groups of layers"));
    Protocol two_lows = ablation();
    two_lows.variants << "bf16?x=bnb-int8";
    QVERIFY(!isAblation(two_lows));
  }

  void theMostVisibleStayUntilTheRestIsNotNoticeable() {
    const QString attn = "bf16?attn=bnb-nf4", ff = "bf16?ff=bnb-nf4&proj_out=bnb-nf4", norm = "bf16?norm=bnb-nf4";
    const VisibilityPolicy some = policyFromVisibility(ablation(),
        analysisOf({{ff, 0.6, "noticeable"}, {attn, 0.1, "undecided"}, {norm, 0.01, "not-noticeable"}}));
    QCOMPARE(some.kept, (QStringList{"ff+proj_out", "attn"}));
    QCOMPARE(some.lowered, QStringList{"norm"});
    QCOMPARE(some.policy["base"].toString(), QStringLiteral("bf16"));
    QCOMPARE(some.policy["layers"].toArray(), (QJsonArray{QJsonObject{{"pattern", "norm"}, {"precision", "bnb-nf4"}}}));
    QVERIFY2(some.policy["about"].toString().contains("ff+proj_out, attn; in bnb-nf4, not noticeable at margin 10 % one group at a time: norm"),
        qPrintable(some.policy["about"].toString()));
    // One that was not shown to be within the margin keeps everything above it, too, even what happened to pass.
    const VisibilityPolicy odd = policyFromVisibility(ablation(),
        analysisOf({{ff, 0.08, "not-noticeable"}, {attn, 0.05, "undecided"}, {norm, 0, "not-noticeable"}}));
    QCOMPARE(odd.kept, (QStringList{"ff+proj_out", "attn"}));
    const VisibilityPolicy all = policyFromVisibility(ablation(),
        analysisOf({{ff, 0.08, "not-noticeable"}, {attn, 0.05, "not-noticeable"}, {norm, 0, "not-noticeable"}}));
    QVERIFY(all.kept.isEmpty());
    QCOMPARE(all.policy["layers"].toArray().size(), 4);
    const VisibilityPolicy none = policyFromVisibility(ablation(), analysisOf({{ff, 0.8, "noticeable"}, {attn, 0.5, "undecided"}, {norm, 0.4, "undecided"}}));
    QVERIFY(none.lowered.isEmpty() && none.policy["layers"].toArray().isEmpty());
  }

  // People who see only one of three groups, from their answers to the policy.
  void aWholeStudyBecomesAPolicy() {
    Protocol p = ablation();
    p.blocks.resize(1);
    p.blocks[0].trials = 180;
    p.blocks[0].gold = p.blocks[0].null = p.blocks[0].repeats = 0;
    p.analysis.margin = 0.35;   // the plan is drawn from a salt of its own each time: wide enough for any of them
    const FrozenStudy study = sample::frozen(p);
    const Mapping mapping = study.open(sample::kPassphrase);
    std::vector<ChainRecord> chain;
    QByteArray previous = study.hash().toLatin1();
    const auto add = [&](const QJsonObject& record) {
      chain.push_back(nextRecord(previous, static_cast<qint64>(chain.size()), record));
      previous = chain.back().hash;
    };
    quantspot::statistics::Random random(9);
    for (int person = 0; person < 8; ++person) {
      const QString id = QStringLiteral("p%1").arg(person);
      add({{"kind", "join"}, {"participant", id}, {"cell", person}});
      for (const PlannedTrial& trial : planTrials(p, study.hash(), mapping, id, person))
        add({{"kind", "response"}, {"participant", id}, {"trial", trial.index}, {"response_ms", 1000},
            {"answer", sample::answerOf(p, trial, trial.variants[0].contains("attn") ? 0.6 : 0, random)},
            {"shown", QString::fromLatin1(planDigest(mapping, id, trial))}});
    }
    const VisibilityPolicy found = policyFromVisibility(p, analyze(p, study.hash(), collect(p, study.hash(), mapping, chain)));
    QCOMPARE(found.kept, QStringList{"attn"});
    QCOMPARE(QSet<QString>(found.lowered.begin(), found.lowered.end()), (QSet<QString>{"ff+proj_out", "norm"}));
  }
};

QTEST_GUILESS_MAIN(AblationTest)
#include "ablation_test.moc"
