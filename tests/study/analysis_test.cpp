#include "study/analysis.h"
#include "study/csv.h"
#include "study/error.h"
#include "study/methods.h"
#include "study/metric_correlation.h"
#include "study/progress.h"
#include "study/revealed.h"
#include "tests/study/reason.h"
#include "tests/study/sample_study.h"

#include <QJsonDocument>
#include <QRegularExpression>
#include <QTest>

#include <limits>
#include <map>

using namespace quantspot::study;

namespace {

// Answers that do not need a store: a chain made in memory.
const Mapping kMapping{.salt = QByteArray(32, 's'), .images = {}};

std::vector<ChainRecord> chainOf(const Protocol& p, int people, const std::function<QString(const PlannedTrial&, int person)>& answer,
    int ms = 1500) {
  const Mapping& mapping = kMapping;
  std::vector<ChainRecord> chain;
  QByteArray previous = "study";
  const auto add = [&](const QJsonObject& record) {
    chain.push_back(nextRecord(previous, static_cast<qint64>(chain.size()), record));
    previous = chain.back().hash;
  };
  for (int person = 0; person < people; ++person) {
    const QString id = QStringLiteral("p%1").arg(person);
    add({{"kind", "join"}, {"participant", id}, {"cell", person}});
    for (const PlannedTrial& trial : planTrials(p, "study", mapping, id, person))
      add({{"kind", "response"}, {"participant", id}, {"trial", trial.index}, {"answer", answer(trial, person)}, {"response_ms", ms},
          {"shown", QString::fromLatin1(planDigest(mapping, id, trial))}});
  }
  return chain;
}

Responses answers(const Protocol& p, int people, const std::function<QString(const PlannedTrial&, int person)>& answer) {
  return collect(p, "study", kMapping, chainOf(p, people, answer));
}

Protocol spot(int trials) {
  Protocol p = sample::protocol(trials);
  p.blocks.resize(1);
  p.blocks[0].gold = p.blocks[0].null = p.blocks[0].repeats = 0;
  return p;
}

const QJsonObject analysisOf(const Protocol& p, const Responses& responses) { return analyze(p, "study", responses); }

}  // namespace

class AnalysisTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void notNoticeableNeedsEnoughTrials() {
    const Protocol p = spot(60);
    quantspot::statistics::Random random(3);
    const auto guess = [&](const PlannedTrial& trial, int) { return sample::answerOf(p, trial, 0, random); };
    const QJsonObject few = analysisOf(p, answers(p, 2, guess)), many = analysisOf(p, answers(p, 40, guess));
    const QString undecided = few["decisions"][0].toString(), decided = many["decisions"][0].toString();
    QVERIFY2(undecided.startsWith("`bnb-nf4` is neither shown to be noticeable nor shown to be within the margin of 10 %"), qPrintable(undecided));
    QVERIFY2(decided.startsWith("`bnb-nf4` is not noticeable at margin 10 % (spot: ") && decided.contains("chance 25 %, 40 people, 1200 trials"),
        qPrintable(decided));
    QCOMPARE(many["with_exclusions"]["detection"][0]["verdict"].toString(), QStringLiteral("not-noticeable"));
  }

  void whatPeopleSeeIsNoticeable() {
    Protocol p = spot(40);
    quantspot::statistics::Random random(4);
    const QJsonObject seen = analysisOf(p,
        answers(p, 8, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, t.variants[0] == "bnb-nf4" ? 0.5 : 0.1, random); }));
    QVERIFY(seen["decisions"][0].toString().contains("`bnb-nf4` is noticeable"));
    const QJsonObject figure = seen["with_exclusions"]["detection"][0].toObject();
    QCOMPARE(figure["trials"].toInt(), 160);
    QCOMPARE(figure["per_participant"].toArray().size(), 8);
    QVERIFY(figure["mixed"]["rate"].toDouble() > 0.4 && figure["dprime"]["mafc"]["value"].toDouble() > 0.6);
    QVERIFY(figure["p_holm"].toDouble() >= figure["p"].toDouble());
    const QJsonArray curve = seen["with_exclusions"]["psychometric"].toArray();
    QVERIFY(curve.size() == 1 && curve[0]["slope"]["value"].toDouble() < 0);   // fewer bits, more seen
  }

  // Memory and time stand in the sentence where the protocol has them of both.
  void theDecisionTellsWhatAVariantTakes() {
    Protocol p = spot(12);
    p.costs = {{"bf16", {31.4e9, 20}}, {"bnb-nf4", {12.6e9, 20.4}}, {"gguf-q4_k", {0.4e9, 0}}};
    quantspot::statistics::Random random(12);
    const Protocol read = readProtocol(QJsonDocument(toJson(p)).toJson());
    const QJsonObject result = analysisOf(read, answers(read, 3, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, 0.5, random); }));
    const QString first = result["decisions"][0].toString(), second = result["decisions"][1].toString();
    QVERIFY2(first.endsWith("; it needs 12.6 GB instead of 31.4 GB; it takes 1.0× the time."), qPrintable(first));
    QVERIFY2(second.endsWith("; it needs 400 MB instead of 31.4 GB."), qPrintable(second));
  }

  void theDecisionTellsHowASequentialStudyEnded() {
    Protocol p = spot(30);
    p.stopping.rule = StoppingRule::Sprt;
    p.stopping.null_rate = 0.25, p.stopping.alternative_rate = 0.6;
    quantspot::statistics::Random random(13);
    const auto first = [&](double skill, int people) {
      return analysisOf(p, answers(p, people, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, skill, random); }))["decisions"][0].toString();
    };
    const QString seen = first(0.9, 3), unseen = first(0, 3);
    QVERIFY2(seen.contains(QRegularExpression("is noticeable .*; the sequential test chose 60 % over 25 % after \\d+ trials\\)")), qPrintable(seen));
    QVERIFY2(unseen.contains(QRegularExpression("the sequential test chose 25 % over 60 % after \\d+ trials\\)")), qPrintable(unseen));
    p.stopping.rule = StoppingRule::AlwaysValid;
    const QString always = first(0.9, 3);
    QVERIFY2(always.contains("95 % always-valid CI "), qPrintable(always));
  }

  // One person in six sees it every time: pooled, the answers look certain; the mixed model does not let that decide.
  void oneSharpEyeIsNotEverybody() {
    const Protocol p = spot(120);
    quantspot::statistics::Random random(5);
    const QJsonObject result = analysisOf(p,
        answers(p, 6, [&](const PlannedTrial& t, int person) { return sample::answerOf(p, t, person == 0 ? 1 : 0, random); }));
    const QJsonObject figure = result["with_exclusions"]["detection"][0].toObject();
    QVERIFY(figure["p"].toDouble() < 0.01);
    QVERIFY(figure["mixed"]["participant_sd"].toDouble() > 1);
    QCOMPARE(figure["verdict"].toString(), QStringLiteral("undecided"));
  }

  void differentAndWorseAreTwoSentences() {
    Protocol p = sample::protocol(40);
    p.blocks[1].trials = 24;
    quantspot::statistics::Random random(6);
    const auto answer = [&](const PlannedTrial& t, int) {
      if (t.kind != TrialKind::Preference) return sample::answerOf(p, t, 0.7, random);
      const qsizetype worse = t.shown.indexOf("gguf-q4_k");
      if (worse >= 0 && random.uniform() < 0.8) return QString(QLatin1Char(worse == 0 ? 'B' : 'A'));
      return random.uniform() < 0.3 ? QStringLiteral("tie") : random.uniform() < 0.5 ? QStringLiteral("A") : QStringLiteral("B");
    };
    const QJsonObject result = analysisOf(p, answers(p, 10, answer));
    const QString first = result["decisions"][0].toString(), second = result["decisions"][1].toString();
    QVERIFY2(first.contains("`bnb-nf4` is noticeable") && first.contains("; it is not shown to be worse or better than bf16"), qPrintable(first));
    QVERIFY2(second.contains("`gguf-q4_k` is noticeable") && second.contains("; it is judged worse than bf16"), qPrintable(second));
    const QJsonObject preference = result["with_exclusions"]["preference"].toObject();
    QVERIFY(preference.contains("log_tie") && preference.contains("log_order") && !preference["separated"].toBool());
    QCOMPARE(preference["against_reference"].toArray().size(), 2);
  }

  // Counts of confusion matrices and times follow from the answers, and add up to the figures.
  void panelsAddUpToTheFigures() {
    Protocol p = sample::protocol(30);
    p.exclusion.min_gold_rate = 0.9;
    for (TrialKind kind : {TrialKind::Abx, TrialKind::SameDifferent}) {
      Block block;
      block.kind = kind;
      block.trials = 20;
      p.blocks.push_back(block);
    }
    quantspot::statistics::Random random(21);
    const QJsonObject result = analysisOf(p, answers(p, 5, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, 0.6, random); }));
    const QJsonObject part = result["without_exclusions"].toObject();
    for (const QJsonValue& figure : part["detection"].toArray()) {
      int right = 0, all = 0, entries = 0;
      for (const QJsonValue& table : part["confusion"].toArray()) {
        if (table["variant"] != figure["variant"] || table["kind"] != figure["kind"]) continue;
        ++entries;
        for (qsizetype i = 0; i < table["counts"].toArray().size(); ++i)
          for (qsizetype j = 0; j < table["counts"][i].toArray().size(); ++j) {
            all += table["counts"][i][j].toInt();
            right += i == j ? table["counts"][i][j].toInt() : 0;
          }
      }
      QCOMPARE(entries, 1);
      QCOMPARE(all, figure["trials"].toInt());
      QCOMPARE(right, figure["correct"].toInt());
      int people = 0;
      for (const QJsonValue& share : figure["per_participant"].toArray()) {
        people += share["trials"].toInt();
        QVERIFY(share["interval"][0].toDouble() <= share["rate"].toDouble() && share["rate"].toDouble() <= share["interval"][1].toDouble());
      }
      QCOMPARE(people, all);
    }
    int timed = 0;
    for (const QJsonValue& entry : part["response_times"].toArray()) {
      QCOMPARE(entry["quantiles_ms"].toArray(), (QJsonArray{1500, 1500, 1500, 1500, 1500}));
      if (entry["kind"] == "abx" && entry["answers"] != "all") timed += entry["trials"].toInt();
    }
    QCOMPARE(timed, 5 * 20);
    QCOMPARE(part["participants"].toArray().size(), 5);
    QCOMPARE(part["participants"][0]["gold_trials"].toInt(), 2);
    QCOMPARE(part["decisions"].toArray().size(), 2);
    QCOMPARE(result["decisions"], result["with_exclusions"]["decisions"]);
  }

  void aCurveIsDrawnThroughItsThreshold() {
    Protocol p = spot(60);
    p.bits = {{"bnb-nf4", 3.0}, {"gguf-q4_k", 5.0}};
    quantspot::statistics::Random random(22);
    const QJsonObject result = analysisOf(p,
        answers(p, 8, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, t.variants[0] == "bnb-nf4" ? 0.7 : 0.2, random); }));
    const QJsonObject curve = result["with_exclusions"]["psychometric"][0].toObject();
    QCOMPARE(curve["points"].toArray().size(), 2);
    const double half = *psychometricAt(curve, curve["threshold_bits"]["value"].toDouble());
    QVERIFY(std::abs(half - 0.625) < 1e-9);                                // half-way from 1/4 to 1
    for (const QJsonValue& point : curve["points"].toArray())              // two levels, two parameters: the curve runs through both
      QVERIFY(std::abs(*psychometricAt(curve, point["bits"].toDouble()) - point["rate"].toDouble()) < 1e-6);
    QVERIFY(!psychometricAt({{"guess", 0.25}}, 4));
    const CurveMarks marks = psychometricMarks(curve).value();             // both stand on the curve
    QVERIFY(std::abs(*psychometricAt(curve, marks.threshold.to) - marks.threshold.share) < 1e-9 && marks.threshold.from == marks.threshold.to);
    const CurveMark jnd = marks.jnd.value();
    QVERIFY(std::abs(*psychometricAt(curve, jnd.to) - jnd.share) < 1e-9 && std::abs(jnd.share - 0.8125) < 1e-9);
    QVERIFY(jnd.from == marks.threshold.to && jnd.to < jnd.from);          // more is seen at fewer bits
    QVERIFY(jnd.low < jnd.to && jnd.to < jnd.high && jnd.high < jnd.from);
    QVERIFY(marks.threshold.low < marks.threshold.to && marks.threshold.to < marks.threshold.high);
    QJsonObject unsure = curve;                                            // a slope that may be 0: the difference has no upper end
    unsure["jnd_interval"] = QJsonArray{0.5, QJsonValue()};
    QCOMPARE(psychometricMarks(unsure)->jnd->low, -std::numeric_limits<double>::infinity());
    QVERIFY(!psychometricMarks({{"guess", 0.25}}));
  }

  // Everything seen at few bits and no more than by guessing at many: no slope and no threshold are best, but ends there are.
  void aStepHasIntervals() {
    const auto curveOf = [](std::initializer_list<int> right) {
      Protocol p = spot(60);
      QJsonArray detection;
      double bits = 2;
      for (const int k : right) {
        const QString variant = QStringLiteral("v%1").arg(bits);
        p.bits[variant] = bits++;
        detection << QJsonObject{{"kind", "spot"}, {"slots", 4}, {"variant", variant}, {"chance", 0.25}, {"correct", k}, {"trials", 40}};
      }
      return psychometricFigures(p, detection)[0].toObject();
    };
    const QJsonObject step = curveOf({40, 40, 10, 10});
    QVERIFY(step["separated"].toBool() && step["slope"]["value"].isNull() && step["threshold_bits"]["value"].isNull() && step["jnd_bits"].isNull());
    QVERIFY(step["slope"]["interval"][0].isNull() && step["slope"]["interval"][1].toDouble() < 0);
    QCOMPARE(step["jnd_interval"][0].toDouble(), 0.0);
    const CurveMarks marks = psychometricMarks(step).value();
    QVERIFY(!psychometricAt(step, 4) && !marks.jnd && std::isnan(marks.threshold.to));
    const CurveWords said = psychometricWords(step);
    QCOMPARE(said.slope, QStringLiteral("a step"));
    QVERIFY2(QRegularExpression("^-\\d+\\.\\d\\d or steeper$").match(said.slope_range).hasMatch(), qPrintable(said.slope_range));
    QVERIFY2(QRegularExpression("^at most \\d\\.\\d\\d$").match(said.jnd_range).hasMatch(), qPrintable(said.jnd_range));
    QVERIFY2(QRegularExpression("^\\d\\.\\d\\d to \\d\\.\\d\\d$").match(said.threshold_range).hasMatch(), qPrintable(said.threshold_range));
    const CurveWords rising = psychometricWords(curveOf({10, 10, 40, 40}));
    QVERIFY2(QRegularExpression("^\\d+\\.\\d\\d or steeper$").match(rising.slope_range).hasMatch(), qPrintable(rising.slope_range));
    const QJsonObject flat = curveOf({20, 20, 20, 20});
    QVERIFY(flat["flat"].toBool() && flat["jnd_interval"][0].toDouble() > 0 && flat["jnd_interval"][1].isNull() && !psychometricMarks(flat));
    QCOMPARE(psychometricWords(flat).threshold_range, QStringLiteral("open"));
    QVERIFY(psychometricWords(flat).jnd_range.startsWith("at least ") && psychometricWords(flat).slope == "flat");
    QCOMPARE(withOpenEnd("just noticeable", "at least 0.58"), QStringLiteral("just noticeable: at least 0.58"));
    QCOMPARE(withOpenEnd("half-way", "3.00 to 4.00"), QStringLiteral("half-way"));
  }

  void figuresWaitForTheEnd() {
    const FrozenStudy study = sample::frozen();
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    sample::run(ledger, study, 2, 0.6);
    const auto look = [&](const QString& passphrase) { return reveal(study, ledger.chain(study.hash()), passphrase); };
    QVERIFY_EXCEPTION_THROWN(look(sample::kPassphrase), Error);
    QVERIFY(progressOf(study.protocol(), study.hash(), ledger.chain(study.hash())).closed.isEmpty());
    ledger.close(study.hash());
    QVERIFY_EXCEPTION_THROWN(look("wrong"), Error);
    const RevealedStudy revealed = look(sample::kPassphrase);
    QCOMPARE(progressOf(study.protocol(), study.hash(), ledger.chain(study.hash())).closed, ledger.closedAt(study.hash()));
    const RevealedStudy bundled = revealedBundle(makeBundle(study, ledger.chain(study.hash()), revealed.mapping));
    QCOMPARE(bundled.analysis, revealed.analysis);
    QCOMPARE(bundled.head, revealed.head);
    QCOMPARE(bundled.counted().size(), 2u * (12 + 2 + 2 + 2 + 6));
    QVERIFY_EXCEPTION_THROWN(revealedBundle(makeBundle(study, ledger.chain(study.hash()), std::nullopt)), Error);
  }

  // Whatever people have answered so far, there is an analysis; what is too small for a fit says why.
  void studiesOfAnySizeAreAnalyzed() {
    Protocol p = sample::protocol(4);
    for (TrialKind kind : {TrialKind::Rating, TrialKind::Ranking, TrialKind::SameDifferent, TrialKind::Triangle}) {
      Block block;
      block.kind = kind;
      block.trials = 3;
      p.blocks.push_back(block);
    }
    quantspot::statistics::Random random(31);
    auto chain = chainOf(p, 2, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, 0.6, random); });
    Responses unrated = collect(p, "study", kMapping, chain);
    std::erase_if(unrated.rows, [](const ResponseRow& row) { return row.trial.kind == TrialKind::Rating && row.trial.shown[0] == "bf16"; });
    QVERIFY(analysisOf(p, unrated)["with_exclusions"]["rating"]["reason"].toString().contains("no rating"));
    for (; !chain.empty(); chain.pop_back()) {
      const QJsonObject part = analysisOf(p, collect(p, "study", kMapping, chain))["with_exclusions"].toObject();
      QCOMPARE(part["decisions"].toArray().size(), 2);
    }
  }

  void everyFigureNamesItsMethod() {
    const QJsonObject part = analysisOf(spot(20), answers(spot(20), 2, [](const PlannedTrial& t, int) { return t.truth; }))["with_exclusions"].toObject();
    for (const QString& key : part.keys())
      if (key != "people" && key != "responses" && key != "decisions") QVERIFY2(!methodOf(key).oracle.isEmpty(), qPrintable(key));
    QVERIFY_EXCEPTION_THROWN(methodOf("luck"), Error);
    const QString text = QString::fromUtf8(readFile(QStringLiteral(QUANTSPOT_SOURCE_DIR "/docs/study-analysis.md")));
    for (const Method& method : methods())
      QVERIFY2(text.contains(QStringLiteral("| `%1` %2 | %3 | %4 |").arg(method.figure, method.title, method.how, method.oracle)), qPrintable(method.figure));
  }

  void separationIsFlagged() {
    Protocol p = sample::protocol(4);
    p.blocks[0].kind = TrialKind::Preference;
    p.blocks[0].gold = p.blocks[0].null = p.blocks[0].repeats = 0;
    p.blocks.resize(1);
    const QJsonObject result = analysisOf(p,
        answers(p, 6, [](const PlannedTrial& t, int) { return QString(QLatin1Char(t.shown[0] < t.shown[1] ? 'A' : 'B')); }));
    const QJsonObject preference = result["with_exclusions"]["preference"].toObject();
    QVERIFY(preference["separated"].toBool() && preference["bias_reduced"].toBool());
    QVERIFY(result["decisions"][0].toString().contains("separated"));
  }

  void exclusionsAreFlaggedAndShownBothWays() {
    Protocol p = sample::protocol(20);
    p.exclusion = {.min_gold_rate = 0.75, .min_median_ms = 0, .max_focus_losses = -1};
    quantspot::statistics::Random random(7);
    const Responses responses = answers(p, 6, [&](const PlannedTrial& t, int person) {
      if (t.role == TrialRole::Gold) return person == 2 ? QString(QLatin1Char(t.truth == "A" ? 'B' : 'A')) : t.truth;
      return sample::answerOf(p, t, 0.4, random);
    });
    const QJsonObject result = analysisOf(p, responses);
    QCOMPARE(result["excluded"].toArray().size(), 1);
    QCOMPARE(result["excluded"][0]["participant"].toString(), QStringLiteral("p2"));
    QCOMPARE(result["with_exclusions"]["people"].toInt(), 5);
    QCOMPARE(result["without_exclusions"]["people"].toInt(), 6);
    QCOMPARE(result["with_exclusions"]["quality"]["gold"]["correct"].toInt(), 10);
    QCOMPARE(result["with_exclusions"]["quality"]["repeats"]["trials"].toInt(), 10);
    p.exclusion = {.min_gold_rate = 0, .min_median_ms = 2000, .max_focus_losses = -1};
    QCOMPARE(analysisOf(p, answers(p, 3,
        [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, 0.4, random); }))["excluded"].toArray().size(), 3);
  }

  // Many times the largest number that a record can hold is not less than none.
  void focusLossesBeyondAnyCountExclude() {
    Protocol p = spot(4);
    p.exclusion = {.min_gold_rate = 0, .min_median_ms = 0, .max_focus_losses = 3};
    std::vector<ChainRecord> chain;
    QByteArray previous = "study";
    for (const ChainRecord& record : chainOf(p, 1, [](const PlannedTrial& t, int) { return t.truth; })) {
      QJsonObject json = record.json();
      if (json["kind"] == "response") json["focus_losses"] = std::numeric_limits<int>::max();
      chain.push_back(nextRecord(previous, static_cast<qint64>(chain.size()), json));
      previous = chain.back().hash;
    }
    const Responses responses = collect(p, "study", kMapping, chain);
    QVERIFY(responses.problems.isEmpty() && responses.rows.size() >= 4);
    for (const ResponseRow& row : responses.rows) QCOMPARE(row.excluded, QStringLiteral("focus lost"));
    QVERIFY(progressOf(p, "study", chain).focus_losses > 0);
  }

  void sequentialStudiesAreJudgedByTheirRule() {
    Protocol p = spot(40);
    quantspot::statistics::Random random(8);
    const auto answer = [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, 0.5, random); };
    p.stopping.rule = StoppingRule::AlwaysValid;
    const QJsonObject always = analysisOf(p, answers(p, 5, answer))["with_exclusions"]["detection"][0].toObject();
    p.stopping = {.rule = StoppingRule::Sprt, .null_rate = 0.25, .alternative_rate = 0.5};
    const QJsonObject ratio = analysisOf(p, answers(p, 5, answer))["with_exclusions"]["detection"][0].toObject();
    QCOMPARE(always["interval_method"].toString(), QStringLiteral("always-valid"));
    QCOMPARE(ratio["sprt"]["verdict"].toString(), QStringLiteral("accept-alternative"));
    QVERIFY(ratio["sprt"]["trials"].toInt() < 100);
  }

  void theExperimenterSeesProgressAndNoScores() {
    Protocol p = spot(20);
    quantspot::statistics::Random random(12);
    const auto chain = chainOf(p, 4, [&](const PlannedTrial& t, int) { return t.variants[0] == "bnb-nf4" ? t.truth
        : sample::answerOf(p, t, 0, random); });
    const Progress fixed = progressOf(p, "study", chain, kMapping);
    QCOMPARE(fixed.joined, 4);
    QCOMPARE(fixed.finished, 4);
    QCOMPARE(fixed.responses, 4 * 22);
    QVERIFY(fixed.sequential.isEmpty());
    p.stopping.rule = StoppingRule::AlwaysValid;
    QVERIFY(progressOf(p, "study", chain).sequential.isEmpty());
    const QJsonObject verdicts = progressOf(p, "study", chain, kMapping).sequential;
    QCOMPARE(verdicts, (QJsonObject{{"bnb-nf4 spot", "stop"}, {"gguf-q4_k spot", "continue"}}));
    auto half = chain;
    half.resize(30);
    const Progress running = progressOf(p, "study", half);
    QCOMPARE(running.joined, 2);
    QCOMPARE(running.finished, 1);
  }

  void policiesAreRankedByHowVisibleTheyAre() {
    Protocol p = spot(60);
    p.variants = QStringList{"bf16", "attention", "mlp", "norms"};
    quantspot::statistics::Random random(13);
    const std::map<QString, double> skill{{"attention", 0.3}, {"mlp", 0.8}, {"norms", 0}};
    const QJsonObject result = analysisOf(p,
        answers(p, 8, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, skill.at(t.variants[0]), random); }));
    const QJsonArray order = result["with_exclusions"]["visibility"].toArray();
    QCOMPARE(order.size(), 3);
    QCOMPARE(order[0]["variant"].toString(), QStringLiteral("mlp"));
    QCOMPARE(order[1]["variant"].toString(), QStringLiteral("attention"));
    QVERIFY(order[0]["interval"][0].toDouble() > order[1]["interval"][1].toDouble());
    for (const QJsonValue& entry : order)
      QVERIFY(entry["interval"][0].toDouble() <= skill.at(entry["variant"].toString())
          && skill.at(entry["variant"].toString()) <= entry["interval"][1].toDouble());
  }

  void theMetricThatPredictsPeopleIsFound() {
    Protocol p = spot(60);
    for (int i = 6; i < 16; ++i) p.comparisons.push_back({QStringLiteral("c%1").arg(i), QStringLiteral("an owl"), false});
    quantspot::statistics::Random random(14);
    const auto visible = [](const PlannedTrial& t) { return t.comparison.mid(1).toInt() / 16.0; };
    const Responses responses = answers(p, 12, [&](const PlannedTrial& t, int) { return sample::answerOf(p, t, visible(t), random); });
    Rows rows;
    for (const ResponseRow& row : responses.rows) rows.push_back(&row);
    QByteArray csv = "comparison,variant,lpips,psnr,luck,category\n";
    for (const StudyComparison& c : p.comparisons)
      for (const QString& variant : p.tested()) {
        const int n = c.id.mid(1).toInt();
        csv += csvLine({c.id, variant, QString::number(n * 0.01), n == 3 ? "NA" : QString::number(40 - n), QString::number(random.uniform()), n % 2
            ? "odd" : "even"});
      }
    const QJsonArray found = metricCorrelations(p, rows, parseCsvTable(csv));
    const auto of = [&](const QString& metric, const QString& category) -> const QJsonObject {
      for (const QJsonValue& entry : found)
        if (entry["metric"].toString() == metric && entry["category"].toString() == category) return entry.toObject();
      return {};
    };
    QCOMPARE(found.size(), 9);   // three metrics, all and two categories; nobody was asked for a preference
    QVERIFY(of("lpips", "all")["spearman"]["interval"][0].toDouble() > 0.7);
    QVERIFY(of("psnr", "all")["kendall"]["interval"][1].toDouble() < -0.5);
    QCOMPARE(of("psnr", "all")["pairs"].toInt(), 28);   // c5 is for practice, c3 has none
    QVERIFY(of("luck", "all")["spearman"]["interval"][0].toDouble() < 0.2);
    QVERIFY(of("lpips", "odd")["pairs"].toInt() < of("lpips", "all")["pairs"].toInt());
    const auto refusal = [&](const char* table) { return quantspot::study::test::reason([&] { metricCorrelations(p, rows, parseCsvTable(table)); }); };
    QVERIFY2(refusal("comparison,variant,psnr\nc99,bnb-nf4,30\nc1,nf4,30\n").contains("names a picture of this study, such as c0, bnb-nf4"),
             qPrintable(refusal("comparison,variant,psnr\nc99,bnb-nf4,30\n")));
    QVERIFY(refusal("comparison,variant,category\nc1,bnb-nf4,owls\n").contains("no column beside"));
  }

  void ratingsAndRankingsHaveTheirFigures() {
    Protocol p = sample::protocol(15);
    p.blocks[0].kind = TrialKind::Rating;
    p.blocks[1].kind = TrialKind::Ranking;
    p.blocks[1].ties = false;
    p.blocks[0].gold = p.blocks[0].null = p.blocks[0].repeats = 0;
    quantspot::statistics::Random random(9);
    const auto answer = [&](const PlannedTrial& t, int) {
      if (t.kind == TrialKind::Rating) return QString::number((t.shown[0] == "bf16" ? 4 : 2) + static_cast<int>(random.below(2)));
      return sample::answerOf(p, t, 0, random);
    };
    const QJsonObject figures = analysisOf(p, answers(p, 8, answer))["with_exclusions"].toObject();
    const QJsonArray scores = figures["rating"]["scores"].toArray();
    QCOMPARE(scores[0]["variant"].toString(), QStringLiteral("bf16"));
    QVERIFY(scores[0]["interval"][0].toDouble() > scores[1]["interval"][1].toDouble());
    QVERIFY(figures["rating"]["krippendorff_ordinal"].toDouble() > 0.4);
    QVERIFY(figures["rating"].toObject().contains("krippendorff_interval") && figures["rating"]["krippendorff_interval"].isNull());   // 15 pictures
    QCOMPARE(figures["ranking"]["abilities"].toArray().size(), 3);
    QVERIFY(figures["preference"].isNull() && figures["detection"].toArray().isEmpty());
    const QString first = figures["decisions"][0].toString();   // the report's first line
    QVERIFY2(first.startsWith("`bnb-nf4` is rated 2.") && first.contains(", bf16 4.") && first.contains(" CI ")
                 && first.contains("it is not shown to be ranked below or above bf16 (Plackett–Luce "), qPrintable(first));
    QVERIFY(!figures["decisions"][1].toString().contains("no answers"));
    p.blocks.erase(p.blocks.begin());
    const QJsonObject few = analysisOf(p, answers(p, 0, answer))["with_exclusions"].toObject();
    QCOMPARE(few["decisions"][0].toString(), QStringLiteral("`bnb-nf4` has no answers that count."));
  }

  void recordsThatDoNotFitThePlanAreNamed() {
    const Protocol p = spot(4);
    const Mapping mapping{.salt = QByteArray(32, 's'), .images = {}};
    const auto plan = planTrials(p, "study", mapping, "p", 0);
    const auto response = [&](int trial, const QString& answer, int digest_of) {
      return QJsonObject{{"kind", "response"}, {"participant", "p"}, {"trial", trial}, {"answer", answer},
          {"shown", QString::fromLatin1(planDigest(mapping, "p", plan[digest_of]))}};
    };
    std::vector<ChainRecord> chain;
    for (const QJsonObject& record : {response(0, "A", 0), QJsonObject{{"kind", "join"}, {"participant", "p"}, {"cell", 0}}, response(0, "A", 0),
        response(0, "B", 0), response(1, "Q", 1),
                                      response(1, "A", 2), response(99, "A", 1), QJsonObject{{"kind", "undo"}, {"participant", "p"}, {"trial", 3}}})
      chain.push_back(nextRecord("x", static_cast<qint64>(chain.size()), record));
    const Responses responses = collect(p, "study", mapping, chain);
    QCOMPARE(responses.problems.size(), 6);
    QCOMPARE(responses.rows.size(), 1u);
    QVERIFY(responses.problems[1].contains("record 4: answers trial 0 a second time"));
    QVERIFY(responses.problems[3].contains("other pictures"));
  }
};

QTEST_GUILESS_MAIN(AnalysisTest)
#include "analysis_test.moc"
