// The answers of the Compare page as one tidy table.
#pragma once

#include <QByteArray>

namespace quantspot::study {

class StudyStore;

// CSV, UTF-8: a header, then a row per tile of every answered trial, oldest first. Columns: trial, answered (UTC), task, counted (1, or 0: in no
// tally), uncounted (why: asked-again, seen-before), confidence (empty: not given), response_ms, comparison, model, prompt, seed, slot, precision,
// repeat, answer (a precision, "picked" or nothing, or 1 to 5), right (0 or 1; empty for grades).
QByteArray answersTable(StudyStore& store);

}  // namespace quantspot::study
