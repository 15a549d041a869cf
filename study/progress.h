// What the experimenter may see while a study runs: how far it is, and what went wrong, but no scores.
#pragma once

#include "study/responses.h"

namespace quantspot::study {

struct Progress {
  int joined = 0, finished = 0, erased_records = 0;
  int responses = 0, undone = 0;            // that stand; taken back
  int focus_losses = 0, clock_set_back = 0; // technical problems
  QString closed;                           // UTC, ISO 8601; empty: the study runs
  int planned = 0;                          // trials of one participant, with practice
  QJsonObject per_participant;              // id → answered trials
  // Only where the stopping rule is sequential, and then its verdict alone: "VARIANT KIND" → "continue", "stop"; else empty.
  QJsonObject sequential;
};

// mapping is needed for the sequential verdict only; without it `sequential` stays empty. A rule stops at the first crossing: later answers
// do not take it back.
Progress progressOf(const Protocol& protocol, const QString& hash, const std::vector<ChainRecord>& chain, const std::optional<Mapping>& mapping = {});

QJsonObject toJson(const Progress& progress);

}  // namespace quantspot::study
