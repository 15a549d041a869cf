#include "study/analysis.h"
#include "study/statistics/quantile.h"

#include <algorithm>
#include <map>
#include <set>

namespace quantspot::study {
namespace {

QJsonArray quantiles(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  QJsonArray list;
  for (const double p : {0.05, 0.25, 0.5, 0.75, 0.95}) list << statistics::quantile(values, p);
  return list;
}

// What a trial of this kind may be answered, in the order of its slots.
QStringList answersOf(TrialKind kind, int slots) {
  if (kind == TrialKind::SameDifferent) return {QStringLiteral("same"), QStringLiteral("different")};
  QStringList letters;
  for (int i = 0; i < (kind == TrialKind::Abx ? 2 : slots); ++i) letters << QString(QLatin1Char(static_cast<char>('A' + i)));
  return letters;
}

}  // namespace

QJsonArray responseTimes(const Rows& rows) {
  using Key = std::tuple<int, QString, QString>;   // kind, variant, which answers
  std::map<Key, std::vector<double>> times;
  for (const ResponseRow* row : rows) {
    if (row->trial.role != TrialRole::Main) continue;
    const int kind = static_cast<int>(row->trial.kind);
    times[{kind, {}, QStringLiteral("all")}].push_back(row->response_ms);
    if (row->correct) times[{kind, row->trial.variants[0], *row->correct ? QStringLiteral("right") : QStringLiteral("wrong")}].push_back(row->response_ms);
  }
  QJsonArray list;
  for (auto& [key, values] : times) {
    const auto& [kind, variant, which] = key;
    list << QJsonObject{{"kind", kindName(static_cast<TrialKind>(kind))}, {"variant", variant.isEmpty() ? QStringLiteral("all") : variant}, {"answers", which},
        {"trials", static_cast<int>(values.size())}, {"quantiles_ms", quantiles(values)}};
  }
  return list;
}

QJsonArray confusion(const Protocol& protocol, const Rows& rows) {
  using Key = std::tuple<int, int, qsizetype>;     // kind, slots, variant (−1: all)
  std::map<Key, std::map<std::pair<QString, QString>, int>> counts;
  for (const ResponseRow* row : rows) {
    if (row->trial.role != TrialRole::Main || !row->correct) continue;
    const int kind = static_cast<int>(row->trial.kind), slots = static_cast<int>(row->trial.shown.size());
    for (const qsizetype variant : {qsizetype(-1), protocol.variants.indexOf(row->trial.variants[0])})
      ++counts[{kind, slots, variant}][{row->trial.truth, row->answer}];
  }
  QJsonArray list;
  for (auto& [key, cells] : counts) {
    const auto& [kind, slots, variant] = key;
    const QStringList answers = answersOf(static_cast<TrialKind>(kind), slots);
    QJsonArray table;
    for (const QString& truth : answers) {
      QJsonArray line;
      for (const QString& answer : answers) line << cells[{truth, answer}];
      table << line;
    }
    list << QJsonObject{{"kind", kindName(static_cast<TrialKind>(kind))}, {"slots", slots},
        {"variant", variant < 0 ? QStringLiteral("all") : protocol.variants[variant]}, {"answers", QJsonArray::fromStringList(answers)}, {"counts", table}};
  }
  return list;
}

QJsonArray participants(const Rows& rows) {
  struct Person {
    int gold = 0, gold_right = 0, losses = 0;
    std::vector<double> times;
    QString reasons;
  };
  std::map<QString, Person> people;
  for (const ResponseRow* row : rows) {
    Person& person = people[row->participant];
    if (row->trial.role == TrialRole::Gold && row->correct) ++person.gold, person.gold_right += *row->correct;
    person.losses += row->focus_losses;
    person.times.push_back(row->response_ms);
    person.reasons = row->excluded;
  }
  QJsonArray list;
  for (auto& [id, person] : people) {
    std::sort(person.times.begin(), person.times.end());
    list << QJsonObject{{"participant", id}, {"responses", static_cast<int>(person.times.size())}, {"gold_correct", person.gold_right},
        {"gold_trials", person.gold}, {"focus_losses", person.losses}, {"median_ms", statistics::quantile(person.times, 0.5)},
        {"excluded", person.reasons}};
  }
  return list;
}

}  // namespace quantspot::study
