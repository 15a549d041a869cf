#include "study/order.h"
#include "tests/study/sample_study.h"

#include <QTest>

#include <map>

using namespace quantspot::study;

namespace {

Protocol only(TrialKind kind, int trials = 12) {
  Protocol p = sample::protocol();
  Block block;
  block.kind = kind;
  block.trials = trials;
  p.blocks = {block};
  p.practice = 0;
  return p;
}

Mapping mapping(const Protocol& p) {
  Mapping m{.salt = QByteArray(32, 's'), .images = {}};
  for (const StudyComparison& c : p.comparisons) m.images[c.id]["bf16"] = c.id;
  return m;
}

std::vector<PlannedTrial> plan(const Protocol& p, int cell, const QString& participant = "p") { return planTrials(p, "hash", mapping(p), participant,
    cell); }

}  // namespace

class TrialPlanTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyKindIsLaidOutAsItsQuestionSays_data() {
    QTest::addColumn<int>("kind");
    for (TrialKind kind : {TrialKind::Spot, TrialKind::Abx, TrialKind::Preference, TrialKind::Triangle, TrialKind::SameDifferent, TrialKind::Rating,
        TrialKind::Ranking})
      QTest::newRow(qPrintable(kindName(kind))) << static_cast<int>(kind);
  }
  void everyKindIsLaidOutAsItsQuestionSays() {
    QFETCH(int, kind);
    const Protocol p = only(static_cast<TrialKind>(kind));
    std::map<QString, int> truths;
    for (int cell = 0; cell < 24; ++cell)
      for (const PlannedTrial& trial : plan(p, cell)) {
        ++truths[trial.truth];
        const qsizetype references = trial.shown.count(p.reference), slot = trial.truth.isEmpty() ? -1 : trial.truth[0].unicode() - 'A';
        switch (trial.kind) {
          case TrialKind::Spot:
            QCOMPARE(references, 3);
            QVERIFY(trial.shown[slot] == trial.variants[0] && trial.variants[0] != p.reference);
            break;
          case TrialKind::Abx:
            QVERIFY(trial.shown[0] != trial.shown[1]);
            QCOMPARE(trial.shown[2], trial.shown[slot]);
            break;
          case TrialKind::Triangle: QCOMPARE(trial.shown.count(trial.shown[slot]), 1); break;
          case TrialKind::SameDifferent: QCOMPARE(trial.truth == "same", trial.shown[0] == trial.shown[1]); break;
          case TrialKind::Preference: QVERIFY(trial.shown[0] != trial.shown[1] && trial.truth.isEmpty()); break;
          case TrialKind::Rating: QCOMPARE(trial.shown.size(), 1); break;
          case TrialKind::Ranking: QCOMPARE(QSet<QString>(trial.shown.begin(), trial.shown.end()).size(), 3); break;
        }
      }
    if (!hasTruth(static_cast<TrialKind>(kind))) return;
    for (const auto& [truth, count] : truths) QVERIFY2(std::abs(count * static_cast<double>(truths.size()) / 288 - 1) < 0.12, qPrintable(truth));
  }

  void countsAreThoseOfTheProtocol() {
    const Protocol p = sample::protocol();
    const auto trials = plan(p, 3);
    std::map<TrialRole, int> roles;
    std::map<QString, int> tested;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      QCOMPARE(trials[i].index, static_cast<int>(i));
      ++roles[trials[i].role];
      if (trials[i].role == TrialRole::Main && trials[i].block == 0) ++tested[trials[i].variants[0]];
      QCOMPARE(trials[i].role == TrialRole::Practice, trials[i].comparison == "c5");
      if (trials[i].role == TrialRole::Null) QVERIFY(trials[i].shown.count("bf16") == 4 && trials[i].truth.isEmpty());
      if (trials[i].role == TrialRole::Gold) QCOMPARE(trials[i].shown.count("gold"), 1);
      if (trials[i].role != TrialRole::Repeat) continue;
      const PlannedTrial& first = trials[static_cast<std::size_t>(trials[i].repeat_of)];
      QVERIFY(trials[i].repeat_of < static_cast<int>(i) && first.role == TrialRole::Main);
      QCOMPARE(first.comparison, trials[i].comparison);
      QCOMPARE(first.variants, trials[i].variants);
    }
    QCOMPARE(roles, (std::map<TrialRole, int>{{TrialRole::Practice, 2}, {TrialRole::Main, 18}, {TrialRole::Gold, 2}, {TrialRole::Null, 2},
        {TrialRole::Repeat, 2}}));
    QCOMPARE(tested, (std::map<QString, int>{{"bnb-nf4", 6}, {"gguf-q4_k", 6}}));
  }

  void thePlanHangsOnProtocolParticipantAndSalt() {
    const Protocol p = sample::protocol();
    const auto shown = [](const std::vector<PlannedTrial>& trials) {
      QStringList all;
      for (const PlannedTrial& trial : trials) all << trial.comparison + trial.shown.join('|');
      return all;
    };
    QCOMPARE(shown(plan(p, 2)), shown(plan(p, 2)));
    QVERIFY(shown(plan(p, 2)) != shown(plan(p, 2, "q")));
    QVERIFY(shown(plan(p, 2)) != shown(planTrials(p, "other", mapping(p), "p", 2)));
    Mapping salted = mapping(p);
    salted.salt[5] = 'x';
    QVERIFY(shown(plan(p, 2)) != shown(planTrials(p, "hash", salted, "p", 2)));
    QVERIFY(planDigest(mapping(p), "p", plan(p, 2)[4]) != planDigest(mapping(p), "p", plan(p, 2)[5]));
    QVERIFY(planDigest(mapping(p), "p", plan(p, 2)[4]) != planDigest(salted, "p", plan(p, 2)[4]));
  }

  // A prompt comes back only when every other one was shown with the same variant, and each participant meets them in another order.
  void promptsRepeatAsSeldomAsTheyCan() {
    const Protocol p = only(TrialKind::Spot, 25);   // two variants × five prompts: 12 or 13 of each variant
    QSet<QStringList> orders;
    for (int person = 0; person < 20; ++person) {
      std::map<std::pair<QString, QString>, int> seen;
      QStringList order;
      for (const PlannedTrial& trial : plan(p, 0, QString::number(person))) {
        if (trial.role != TrialRole::Main) continue;
        order << trial.comparison;
        ++seen[{trial.variants[0], trial.comparison}];
      }
      QCOMPARE(seen.size(), std::size_t(10));
      for (const auto& [what, times] : seen) QVERIFY2(times == 2 || times == 3, qPrintable(what.second));
      orders << order;
    }
    QCOMPARE(orders.size(), 20);
  }

  void sidesAreBalancedForEveryPrompt() {
    Protocol p = only(TrialKind::Preference, 15);   // three pairs × five prompts: each once
    std::map<QString, int> left;
    for (int cell = 0; cell < 10; ++cell)
      for (const PlannedTrial& trial : plan(p, cell, QString::number(cell)))
        left[trial.comparison + trial.variants.join('|')] += trial.shown[0] == trial.variants[0];
    QCOMPARE(left.size(), 15u);
    for (const auto& [what, count] : left) QCOMPARE(count, 5);
  }

  // Whoever remembers what was where some trials ago must not know what is where now.
  void nothingToComeCanBeToldFromWhatWas() {
    const Protocol p = only(TrialKind::Spot, 90);
    constexpr int kPeople = 150, kLags = 40;
    std::vector<double> together(kLags + 1), pairs(kLags + 1), same(kLags + 1);
    double right = 0, guesses = 0;
    for (int person = 0; person < kPeople; ++person) {
      Mapping m = mapping(p);
      m.salt = randomBytes(32);
      const auto trials = planTrials(p, "hash", m, QString::number(person), person % 4);
      std::map<QString, int> seen;
      for (std::size_t i = 0; i < trials.size(); ++i) {
        const int side = trials[i].truth == "A" || trials[i].truth == "B" ? 1 : -1;
        int& before = seen[trials[i].comparison + trials[i].variants[0]];
        if (before != 0) right += (before > 0) == (side > 0), ++guesses;   // the side on which that pair was more often
        before += side;
        for (std::size_t lag = 1; lag <= kLags && lag <= i; ++lag) {
          const bool other_side = trials[i - lag].truth == "A" || trials[i - lag].truth == "B";
          together[lag] += (side > 0) == other_side ? 1 : -1, ++pairs[lag];
          same[lag] += trials[i].comparison == trials[i - lag].comparison;
        }
      }
    }
    for (std::size_t lag = 1; lag <= kLags; ++lag) {
      QVERIFY2(std::abs(together[lag] / pairs[lag]) < 0.12, qPrintable(QStringLiteral("lag %1: %2").arg(lag).arg(together[lag] / pairs[lag])));
      if (lag > 10) QVERIFY2(std::abs(same[lag] / pairs[lag] - 0.2) < 0.1, qPrintable(QStringLiteral("lag %1: %2").arg(lag).arg(same[lag] / pairs[lag])));
    }
    QVERIFY2(std::abs(right / guesses - 0.5) < 0.1, qPrintable(QString::number(right / guesses)));
  }

  void theGeneratorPassesItsOwnTest() {
    Protocol p = sample::protocol();
    p.variants << "fp8-layerwise";   // three tested: the two squares of Williams
    p.order = OrderScheme::Williams;
    const OrderCheck check = checkOrder(p, "hash", mapping(p), 60);
    QVERIFY(check.slots.p_value > 0.01 && check.slots.freedom == 3);
    QVERIFY(check.places.p_value > 0.99 && check.places.freedom == 4);
    p.order = OrderScheme::Random;
    QVERIFY(checkOrder(p, "hash", mapping(p), 60).places.p_value > 0.001);
  }

  void aPlanOfOneTrialLeavesNothingToTestOfPlaces() {
    Protocol p = sample::protocol(1);
    p.blocks[0].repeats = 0;
    p.variants << "fp8-layerwise";
    const OrderCheck check = checkOrder(p, "hash", mapping(p), 60);
    QCOMPARE(check.places.freedom, 0);
    QVERIFY(check.slots.freedom > 0);
  }

  void answersAreThoseThatTheTrialTakes() {
    Protocol p = sample::protocol();
    PlannedTrial trial;
    trial.block = 0;
    const auto takes = [&](TrialKind kind, qsizetype slots, const QString& answer) {
      trial.kind = kind;
      trial.shown = QStringList(slots, "x");
      return isAnswer(p, trial, answer);
    };
    QVERIFY(takes(TrialKind::Spot, 4, "D") && !takes(TrialKind::Spot, 4, "E") && !takes(TrialKind::Spot, 4, "AB") && !takes(TrialKind::Spot, 4, ""));
    QVERIFY(takes(TrialKind::Abx, 3, "B") && !takes(TrialKind::Abx, 3, "C"));
    QVERIFY(takes(TrialKind::SameDifferent, 2, "same") && !takes(TrialKind::SameDifferent, 2, "A"));
    QVERIFY(takes(TrialKind::Rating, 1, "5") && !takes(TrialKind::Rating, 1, "0") && !takes(TrialKind::Rating, 1, "6"));
    QVERIFY(takes(TrialKind::Ranking, 3, "B,A,C") && !takes(TrialKind::Ranking, 3, "A,A,C") && !takes(TrialKind::Ranking, 3, "A,B"));
    QVERIFY(!takes(TrialKind::Preference, 2, "tie"));
    trial.block = 1;
    QVERIFY(takes(TrialKind::Preference, 2, "tie") && takes(TrialKind::Preference, 2, "A"));
  }
};

QTEST_GUILESS_MAIN(TrialPlanTest)
#include "trial_plan_test.moc"
