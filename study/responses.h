// The answers that stand, one row each, as statisticians want them: plan and answer joined.
#pragma once

#include "study/chain.h"
#include "study/colour_vision.h"
#include "study/questionnaire.h"
#include "study/trial_plan.h"

#include <QMap>

namespace quantspot::study {

struct ResponseRow {
  qint64 record = 0;                   // number in the chain
  QString participant;
  int cell = 0;
  PlannedTrial trial;
  QString prompt, answer, time;
  std::optional<bool> correct;         // where the trial has a right answer
  double chance = 0;
  int response_ms = 0, confidence = 0, focus_losses = 0;
  QString excluded;                    // reasons; empty: counted
};

struct Responses {
  std::vector<ResponseRow> rows;       // in the order of the chain
  std::vector<QuestionRow> questionnaires;
  std::vector<PlateRow> plates;        // of the colour-vision check
  QStringList problems;                // records that do not fit the plan
  int people = 0;                      // who joined and was not erased
};

// Draws every participant's plan again and joins it with the chain. A response whose digest is not that of its trial, a second answer
// to a trial, an answer that the trial or the question does not take: each is a problem. Exclusions are flagged by the protocol's rules.
Responses collect(const Protocol& protocol, const QString& hash, const Mapping& mapping, const std::vector<ChainRecord>& chain);

// How often the window lost the focus, as a record says: from 0 to a million, so that sums of what anybody may write hold.
int focusLossesOf(const QJsonObject& record);

// One row per response.
QByteArray responsesCsv(const std::vector<ResponseRow>& rows);
// What the columns of responses.csv and questionnaires.csv mean, and of colour_vision.csv where the protocol has the check.
QByteArray codebookCsv(const Protocol& protocol);

}  // namespace quantspot::study
