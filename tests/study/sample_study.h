// A small study with every kind of trial that has a truth, and people who answer it.
#pragma once

#include "study/freeze.h"
#include "study/ledger.h"
#include "study/statistics/random.h"
#include "study/trial_plan.h"
#include "tests/study/tiny_png.h"

namespace sample {

using namespace quantspot::study;

inline const QString kPassphrase = QStringLiteral("correct horse");

inline Protocol protocol(int trials = 12) {
  Protocol p;
  p.title = QStringLiteral("NF4, as seen");
  p.variants = QStringList{"bf16", "bnb-nf4", "gguf-q4_k"};
  p.gold_variant = QStringLiteral("gold");
  p.bits = {{"bnb-nf4", 4.13}, {"gguf-q4_k", 4.5}};
  for (int i = 0; i < 6; ++i) p.comparisons.push_back({QStringLiteral("c%1").arg(i), QStringLiteral("a fox, no. %1").arg(i), i == 5});
  Block spot;
  spot.kind = TrialKind::Spot;
  spot.trials = trials;
  spot.gold = 2;
  spot.null = 2;
  spot.repeats = 2;
  Block preference;
  preference.kind = TrialKind::Preference;
  preference.trials = 6;
  preference.ties = true;
  p.blocks = {spot, preference};
  p.practice = 2;
  p.participants = 6;
  p.consent_version = QStringLiteral("1");
  return p;
}

// With a question of every type.
inline Protocol withQuestions(Protocol p) {
  const auto question = [](const char* id, const char* type, const char* text, const QStringList& choices) {
    return Question{QLatin1String(id), QLatin1String(type), QLatin1String(text), choices};
  };
  p.before = {question("eyes", "choice", "Do you wear glasses?", {"yes", "no"})};
  p.after = {question("hard", "likert", "It was hard.", {}), question("sure", "likert", "I was sure.", {"never", "now and then", "always"}),
             question("more", "text", "Anything else?", {})};
  return p;
}

inline Pictures pictures(const Protocol& p) {
  Pictures all;
  for (const StudyComparison& c : p.comparisons)
    for (const QString& variant : p.variants + QStringList{p.gold_variant}) all[c.id][variant] = tinyPng(c.id.toUtf8() + ' ' + variant.toUtf8());
  return all;
}

inline FrozenStudy frozen(const Protocol& p = protocol()) { return freeze(p, pictures(p), kPassphrase, SealCost::Interactive); }

// Right with probability `skill` where there is a right answer, else anything that the trial takes.
inline QString answerOf(const Protocol& p, const PlannedTrial& trial, double skill, quantspot::statistics::Random& random) {
  if (!trial.truth.isEmpty() && random.uniform() < skill) return trial.truth;
  if (trial.kind == TrialKind::Ranking) {
    QStringList letters;
    for (int i = 0; i < trial.shown.size(); ++i) letters << QString(QLatin1Char(static_cast<char>('A' + i)));
    for (qsizetype i = letters.size(); i > 1; --i) letters.swapItemsAt(i - 1, static_cast<qsizetype>(random.below(static_cast<std::uint64_t>(i))));
    return letters.join(QLatin1Char(','));
  }
  const QStringList any = trial.kind == TrialKind::SameDifferent ? QStringList{"same", "different"} : trial.kind == TrialKind::Rating
      ? QStringList{"1", "2", "3", "4", "5"} : QStringList{"A", "B", "C", "D"};
  for (;;) {
    const QString answer = any[static_cast<qsizetype>(random.below(static_cast<std::uint64_t>(any.size())))];
    if (isAnswer(p, trial, answer)) return answer;
  }
}

// What somebody answers before and after.
inline void say(Ledger& ledger, const FrozenStudy& study, const Seat& seat, const QJsonObject& before, const QJsonObject& after) {
  ledger.append(study.hash(), QStringLiteral("questionnaire"), seat.participant, {{"when", "before"}, {"answers", before}});
  ledger.append(study.hash(), QStringLiteral("questionnaire"), seat.participant, {{"when", "after"}, {"answers", after}});
}

// People who answer everything; returns their seats.
inline std::vector<Seat> run(Ledger& ledger, const FrozenStudy& study, int people, double skill, std::uint64_t seed = 1) {
  const Mapping mapping = study.open(kPassphrase);
  const Protocol p = study.protocol();
  quantspot::statistics::Random random(seed);
  std::vector<Seat> seats;
  for (int person = 0; person < people; ++person) {
    seats.push_back(ledger.join(study.hash(), {{"consent", "1"}}));
    for (const PlannedTrial& trial : planTrials(study, mapping, seats.back().participant, seats.back().cell))
      ledger.answer(study, mapping, seats.back(), trial.index, answerOf(p, trial, skill, random),
                    {{"response_ms", static_cast<int>(800 + random.below(3000))}, {"confidence", static_cast<int>(1 + random.below(5))},
                    {"focus_losses", 0}});
  }
  return seats;
}

}  // namespace sample
