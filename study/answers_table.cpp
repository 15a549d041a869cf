#include "study/answers_table.h"

#include "study/csv.h"
#include "study/study_store.h"

#include <algorithm>
#include <map>

namespace quantspot::study {
namespace {

QString rightText(const AnsweredTrial& trial, const Sample& sample, const QString& answer) {
  switch (trial.task) {
    case Task::NameEach: return QString::number(answer == sample.precision);
    case Task::SpotOne: return QString::number((sample.precision != QLatin1String(kReference)) == (answer == QLatin1String(kPicked)));
    case Task::Rate: break;
  }
  return {};
}

QByteArray rowsOf(const AnsweredTrial& trial, const Comparison& comparison) {
  QByteArray rows;
  for (std::size_t slot = 0; slot < trial.slot_samples.size(); ++slot) {
    const auto sample = std::ranges::find(comparison.samples, trial.slot_samples[slot], &Sample::id);
    if (sample == comparison.samples.end()) continue;
    const QString answer = trial.choices.value(static_cast<qsizetype>(slot));
    rows += csvLine({QString::number(trial.id), trial.answered.toUTC().toString(Qt::ISODateWithMs), taskName(trial.task),
                     QString::number(trial.uncounted.isEmpty()), trial.uncounted, trial.confidence ? QString::number(trial.confidence) : QString(),
                     QString::number(trial.response_ms), QString::number(comparison.id), comparison.model,
                     comparison.recipe[QStringLiteral("prompt")].toString(),
                     QString::number(comparison.recipe[QStringLiteral("seed")].toVariant().toULongLong()),
                     QString(QChar(u'A' + static_cast<int>(slot))), sample->precision, QString::number(sample->repeat), answer,
                     rightText(trial, *sample, answer)});
  }
  return rows;
}

}  // namespace

QByteArray answersTable(StudyStore& store) {
  std::map<qint64, QByteArray> byTrial;                 // ids grow with time
  for (const ComparisonHead& head : store.comparisons()) {
    if (head.trials == 0) continue;
    const auto comparison = store.comparison(head.id);
    if (!comparison) continue;
    for (const AnsweredTrial& trial : store.trials(head.id)) byTrial[trial.id] = rowsOf(trial, *comparison);
  }
  QByteArray table = csvLine({QStringLiteral("trial"), QStringLiteral("answered"), QStringLiteral("task"), QStringLiteral("counted"),
                              QStringLiteral("uncounted"),
                              QStringLiteral("confidence"), QStringLiteral("response_ms"), QStringLiteral("comparison"), QStringLiteral("model"),
                              QStringLiteral("prompt"), QStringLiteral("seed"), QStringLiteral("slot"), QStringLiteral("precision"),
                              QStringLiteral("repeat"), QStringLiteral("answer"), QStringLiteral("right")});
  for (const auto& [trial, rows] : byTrial) table += rows;
  return table;
}

}  // namespace quantspot::study
