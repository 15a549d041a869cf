// What a study asks, of whom, in which order, until when, and how it will be analyzed. Plain values; see docs/study-protocol.md.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include <optional>
#include <vector>

namespace quantspot::study {

// Spot: which of m is the quantized one. Abx: is X A or B. Preference: which is better. Triangle: which of three is odd.
// SameDifferent: are the two the same. Rating: one picture, 1 to 5, the reference hidden among them. Ranking: from best to worst.
// The eighth kind, flicker, is any of these with its pictures in place of each other: Block::flicker_hz.
enum class TrialKind { Spot, Abx, Preference, Triangle, SameDifferent, Rating, Ranking };
QString kindName(TrialKind kind);                        // "spot", "abx", …: stored, never rename
std::optional<TrialKind> kindFromName(const QString& name);
bool hasTruth(TrialKind kind);                           // Spot, Abx, Triangle, SameDifferent
double kindChance(TrialKind kind, int slots);            // share right by chance; 0 where nothing is right

enum class OrderScheme { BalancedLatinSquare, Williams, Random };
enum class StoppingRule { Fixed, Sprt, AlwaysValid };
enum class ResumePolicy { ContinueSameDay, NextBlock, Restart };

struct Block {
  TrialKind kind = TrialKind::Spot;
  int trials = 0;                      // per participant, without gold, null and repeats
  int slots = 4;                       // of Spot; the other kinds fix it
  bool ties = false;                   // of Preference: "no difference" may be answered
  double flicker_hz = 0;               // 0: beside each other
  QStringList comparisons;             // ids; empty: all that are not for practice
  int gold = 0, null = 0, repeats = 0; // added to trials, at random places
};

// What one picture took when it was generated; 0: not measured.
struct VariantCost {
  double memory_bytes = 0, seconds = 0;   // peak, and in all
};

struct StudyComparison {
  QString id, prompt;
  bool practice = false;               // used for practice only
  QJsonObject attested = {};           // how its pictures were made, as far as it is known: study/attestation.h
};

struct Question {
  QString id, type, text;              // type: likert, choice, text
  QStringList choices;
};

struct Stopping {
  StoppingRule rule = StoppingRule::Fixed;
  double null_rate = 0, alternative_rate = 0, alpha = 0.05, beta = 0.05;   // Sprt
  int tuned_for = 100;                                                     // AlwaysValid
};

// Participants who break one are flagged; the analysis shows figures with and without them.
struct Exclusion {
  double min_gold_rate = 0;            // share of gold trials right
  int min_median_ms = 0, max_focus_losses = -1;   // −1: no limit
  int min_plates_read = 0;             // of the colour-vision check, the control apart; who was not checked has read none
};

struct AnalysisPlan {
  double margin = 0.1;                 // of detection corrected for guessing
  double level = 0.95;
  bool exclude = true;                 // the headline leaves flagged participants out
};

// What participants may do with the pictures. All off: they lie side by side, fitted to the screen (or take turns, with Block::flicker_hz).
struct Viewer {
  bool zoom = true, swap = true, slider = true, flicker = true;   // swap: digits put one in place of another
};

struct Protocol {
  QString title, model;              // model: what the pictures were made with; empty: not stated
  QStringList variants;                // the reference among them
  QString reference = QStringLiteral("bf16"), gold_variant;
  QMap<QString, double> bits;          // bits per weight, where a psychometric function is wanted
  QMap<QString, VariantCost> costs;    // for the decision's sentence, where known
  std::vector<StudyComparison> comparisons;
  std::vector<Block> blocks;
  OrderScheme order = OrderScheme::BalancedLatinSquare;
  int participants = 0;                // planned
  int practice = 0;                    // trials with feedback before the first block
  double time_limit_s = 0, min_viewing_s = 0;   // of a trial; 0: none
  int break_every = 0;                 // trials between offered breaks, beside those between blocks; 0: none
  Viewer viewer;
  QString consent_version, consent_text, retention_until;   // ISO date, or empty
  std::vector<Question> before, after;
  int colour_plates = 0;               // of each axis, in a colour-vision check before the first trial; 0: no check
  Stopping stopping;
  Exclusion exclusion;
  AnalysisPlan analysis;
  ResumePolicy resume = ResumePolicy::ContinueSameDay;

  const StudyComparison* comparison(const QString& id) const;
  QStringList tested() const;          // variants other than the reference
};

// Schema 1. Unknown keys, values out of range and contradictions throw Error with the place in the document.
Protocol protocolFromJson(const QJsonObject& json);
// The same without validate(): for a draft, which may contradict itself until it is frozen.
Protocol draftFromJson(const QJsonObject& json);
QJsonObject toJson(const Protocol& protocol);
Protocol readProtocol(const QByteArray& text);

// The contradictions that the types do not exclude; called by protocolFromJson. Throws Error.
void validate(const Protocol& protocol);

}  // namespace quantspot::study
