#include "study/questionnaire.h"

#include "study/csv.h"
#include "study/error.h"
#include "study/rounding.h"
#include "study/statistics/quantile.h"

#include <QSet>

#include <algorithm>

namespace quantspot::study {
namespace {

constexpr int kSteps = 5;              // of a scale whose steps have no names

const std::vector<Question>& questionsAt(const Protocol& protocol, const QString& when) {
  if (when == QLatin1String("before")) return protocol.before;
  if (when == QLatin1String("after")) return protocol.after;
  throw Error(QStringLiteral("holds a questionnaire of neither before nor after"));
}

int stepsOf(const Question& question) { return question.choices.isEmpty() ? kSteps : static_cast<int>(question.choices.size()); }

QStringList choicesOf(const Question& question) {
  QStringList all = question.choices;
  for (int step = 1; all.size() < stepsOf(question); ++step) all << QString::number(step);
  return all;
}

// As it stands in the table. Throws Error for what the question does not take.
QString textOf(const Question& question, const QJsonValue& answer) {
  const bool scale = question.type == QLatin1String("likert");
  const int step = answer.toInt();
  const bool fits = scale ? step >= 1 && step <= stepsOf(question)
      : answer.isString() && (question.type == QLatin1String("text") || question.choices.contains(answer.toString()));
  if (!fits) throw Error(QStringLiteral("holds an answer to '%1' which that question does not take").arg(question.id));
  return scale ? QString::number(step) : answer.toString();
}

bool isEmpty(const QJsonValue& answer) { return answer.isNull() || answer.isUndefined() || (answer.isString() && answer.toString().isEmpty()); }

QJsonObject figureOf(const Question& question, const QString& when, const std::vector<const QuestionRow*>& answers) {
  QJsonObject figure{{"when", when}, {"question", question.id}, {"kind", question.type}, {"text", question.text},
                     {"answers", static_cast<int>(answers.size())}};
  if (question.type == QLatin1String("text")) {
    QJsonArray texts;
    for (const QuestionRow* row : answers) texts << QJsonObject{{"participant", row->participant}, {"answer", row->answer}};
    figure["texts"] = texts;
    return figure;
  }
  const bool scale = question.type == QLatin1String("likert");
  const QStringList choices = choicesOf(question);
  std::vector<int> counts(static_cast<std::size_t>(choices.size()));
  std::vector<double> steps;
  for (const QuestionRow* row : answers) {
    const auto at = scale ? row->answer.toInt() - 1 : choices.indexOf(row->answer);
    ++counts[static_cast<std::size_t>(at)];
    steps.push_back(static_cast<double>(at) + 1);
  }
  QJsonArray list;
  for (int count : counts) list << count;
  figure["choices"] = QJsonArray::fromStringList(choices);
  figure["counts"] = list;
  std::sort(steps.begin(), steps.end());
  if (scale) figure["median"] = steps.empty() ? QJsonValue() : QJsonValue(statistics::quantile(steps, 0.5));
  return figure;
}

}  // namespace

void takeQuestionnaire(const Protocol& protocol, qint64 number, const QJsonObject& record, std::vector<QuestionRow>& rows) {
  const QString participant = record[QStringLiteral("participant")].toString(), when = record[QStringLiteral("when")].toString();
  const QJsonObject answers = record[QStringLiteral("answers")].toObject();
  const std::vector<Question>& questions = questionsAt(protocol, when);
  std::vector<QuestionRow> fresh;
  QSet<QString> known;
  for (const Question& question : questions) {
    known << question.id;
    if (const QJsonValue answer = answers[question.id]; !isEmpty(answer))
      fresh.push_back({number, participant, when, question.id, question.type, textOf(question, answer)});
  }
  for (const QString& id : answers.keys())
    if (!known.contains(id)) throw Error(QStringLiteral("answers a question '%1' which the protocol does not ask then").arg(id));
  std::erase_if(rows, [&](const QuestionRow& row) { return row.participant == participant && row.when == when; });
  rows.insert(rows.end(), fresh.begin(), fresh.end());
}

QByteArray questionnairesCsv(const std::vector<QuestionRow>& rows) {
  QByteArray text = "record,participant,when,question,kind,answer\n";
  for (const QuestionRow& row : rows) text += csvLine({QString::number(row.record), row.participant, row.when, row.question, row.kind, row.answer});
  return text;
}

QJsonArray questionnaireFigures(const Protocol& protocol, const std::vector<QuestionRow>& rows) {
  QJsonArray figures;
  for (const char* name : {"before", "after"}) {
    const QString when = QLatin1String(name);
    for (const Question& question : questionsAt(protocol, when)) {
      std::vector<const QuestionRow*> answers;
      for (const QuestionRow& row : rows)
        if (row.when == when && row.question == question.id) answers.push_back(&row);
      figures << figureOf(question, when, answers);
    }
  }
  return figures;
}

QString questionnaireLine(const QJsonValue& figure) {
  const int answers = figure["answers"].toInt();
  QString head = counted(answers, "answer", "answers");
  if (figure["median"].isDouble()) head += QStringLiteral(", median ") + rounded(figure["median"].toDouble(), 1);
  QStringList parts{head};
  const QJsonArray choices = figure["choices"].toArray(), counts = figure["counts"].toArray();
  for (qsizetype i = 0; i < choices.size() && i < counts.size(); ++i)
    parts << QStringLiteral("%1: %2").arg(choices[i].toString()).arg(counts[i].toInt());
  return parts.join(QStringLiteral(" · "));
}

}  // namespace quantspot::study
