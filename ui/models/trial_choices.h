// What a participant can answer to a trial, and the keys for it.
#pragma once

#include "ui/models/participant_session.h"

namespace quantspot::ui {

struct TrialChoice {
  QString answer;                      // as Ledger takes it
  QString label;                       // on its button
  Qt::Key key = Qt::Key_unknown;       // one that no tool of the viewer has
};

// In the order on screen; empty for a ranking, whose answer is an order of letters.
std::vector<TrialChoice> choicesOf(const TrialScreen& trial);

// The question in one sentence.
QString questionOf(study::TrialKind kind, int pictures);
// What a block is about, for people who see it for the first time.
QString instructionOf(study::TrialKind kind, int pictures, bool flickers);
// The letter on each picture: "ABX" for ABX, else A, B, C …
QString lettersOf(study::TrialKind kind);

}  // namespace quantspot::ui
