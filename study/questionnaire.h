// What people answered before and after the trials: one row per answer, and figures of each question.
#pragma once

#include "study/protocol.h"

#include <QJsonArray>

#include <vector>

namespace quantspot::study {

struct QuestionRow {
  qint64 record = 0;                   // number in the chain
  QString participant, when, question, kind, answer;   // when: before, after; kind: likert (answer: step from 1), choice (its text), text
};

// Puts the answers of a chain's record of kind "questionnaire" into `rows`, in the protocol's order, in place of what the participant answered at the
// same time of the study before. Questions left empty have no row. Throws Error for an answer that its question does not take; nothing is then
// changed.
void takeQuestionnaire(const Protocol& protocol, qint64 number, const QJsonObject& record, std::vector<QuestionRow>& rows);

QByteArray questionnairesCsv(const std::vector<QuestionRow>& rows);

// Per question of the protocol: `when`, `question`, `kind`, `text`, `answers` (how many), and of likert and choice `choices` and `counts`, of likert
// the `median` (null without answers), of text the `texts`. Everybody who was not erased counts, also who is excluded elsewhere.
QJsonArray questionnaireFigures(const Protocol& protocol, const std::vector<QuestionRow>& rows);
// One figure in words: "12 answers, median 4 · 1 disagree: 0 · 2: 3 …".
QString questionnaireLine(const QJsonValue& figure);

}  // namespace quantspot::study
