// Which trials a participant gets, in which order, with what in which slot. Drawn from the frozen study, the participant and the
// secret salt, so it needs no storing: whoever has the mapping draws the same plan again.
#pragma once

#include "study/freeze.h"
#include "study/statistics/chi_square.h"

namespace quantspot::study {

enum class TrialRole { Practice, Main, Gold, Null, Repeat };
QString roleName(TrialRole role);

// Gold: the gold variant in place of a tested one. Null: every slot shows the same picture. Repeat: an earlier trial's pictures anew.
struct PlannedTrial {
  int index = 0, block = -1;         // from 0; block −1: practice
  TrialKind kind = TrialKind::Spot;
  TrialRole role = TrialRole::Main;
  QString comparison;
  QStringList variants;              // what is tested: one, or for Preference two, for Ranking all
  QStringList shown;                 // variant in each slot; Abx: A, B, X
  QString truth;                     // the right answer; empty where there is none
  int repeat_of = -1;                // index of the first showing
  double flicker_hz = 0;
};

std::vector<PlannedTrial> planTrials(const FrozenStudy& study, const Mapping& mapping, const QString& participant, int cell);
// The same with the protocol and hash at hand.
std::vector<PlannedTrial> planTrials(const Protocol& protocol, const QString& hash, const Mapping& mapping, const QString& participant, int cell);

// The answers that a trial takes: "A" …, "same", "different", "tie", "1" … "5"; Ranking: letters from best to worst, "B,A,C".
bool isAnswer(const Protocol& protocol, const PlannedTrial& trial, const QString& answer);

// A keyed digest of the trial, stored with the response: shows at the reveal that what was shown is what the plan says, and tells
// nothing before.
QByteArray planDigest(const Mapping& mapping, const QString& participant, const PlannedTrial& trial);

// The generator tested on itself: counts over the first block of the plans of `participants` people in cells 0, 1, …
// What a protocol leaves nothing to test of (one trial a person has one place) has no degrees of freedom.
struct OrderCheck {
  statistics::ChiSquare slots;       // in which slot the tested picture lay (Spot, Preference)
  statistics::ChiSquare places;      // which condition came at which place, first round
};
OrderCheck checkOrder(const Protocol& protocol, const QString& hash, const Mapping& mapping, int participants);

}  // namespace quantspot::study
