#include "study/analysis.h"

#include "study/analysis_json.h"
#include "study/rounding.h"
#include "study/statistics/chi_square.h"
#include "study/statistics/normal.h"
#include "study/statistics/quantile.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace quantspot::study {
namespace {

QJsonObject figures(const Protocol& protocol, const Rows& rows) {
  std::set<QString> people;
  for (const ResponseRow* row : rows) people.insert(row->participant);
  const QJsonArray detection = detectionFigures(protocol, rows);
  QJsonObject all{{"people", static_cast<int>(people.size())}, {"responses", static_cast<int>(rows.size())}, {"detection", detection},
          {"visibility", visibility(protocol, detection)}, {"preference", preferenceFigures(protocol, rows)},
          {"rating", ratingFigures(protocol, rows)}, {"ranking", rankingFigures(protocol, rows)},
          {"psychometric", psychometricFigures(protocol, detection)}, {"quality", qualityFigures(rows)},
          {"confusion", confusion(protocol, rows)}, {"response_times", responseTimes(rows)}, {"participants", participants(rows)}};
  QJsonArray decisions;
  for (const QString& variant : protocol.tested()) decisions << decision(protocol, all, variant);
  all["decisions"] = decisions;
  return all;
}

QString percent(double share) { return rounded(share * 100, 0); }

QString detectionSentence(const Protocol& protocol, const QJsonObject& figure) {
  const QString verdict = figure["verdict"].toString(), margin = percent(protocol.analysis.margin);
  const QJsonArray interval = figure["rate_interval"].toArray(), detection = figure["detection_interval"].toArray();
  const QString numbers = QStringLiteral("%1: %2 % right, %3 % CI %4–%5 %, chance %6 %, %7 people, %8 trials")
      .arg(figure["kind"].toString(), percent(figure["rate"].toDouble()), percent(protocol.analysis.level), percent(interval[0].toDouble()),
           percent(interval[1].toDouble()),
           percent(figure["chance"].toDouble())).arg(figure["people"].toInt()).arg(figure["trials"].toInt());
  if (verdict == QLatin1String("not-noticeable")) return QStringLiteral("is not noticeable at margin %1 % (%2)").arg(margin, numbers);
  if (verdict == QLatin1String("noticeable")) return QStringLiteral("is noticeable (%1)").arg(numbers);
  return QStringLiteral("is neither shown to be noticeable nor shown to be within the margin of %1 %: up to %2 % of the differences may be seen (%3)")
      .arg(margin, percent(detection[1].toDouble()), numbers);
}

QString preferenceSentence(const Protocol& protocol, const QJsonObject& preference, const QString& variant) {
  for (const QJsonValue& item : preference["abilities"].toArray()) {
    if (item["variant"].toString() != variant) continue;
    const QJsonArray interval = item["interval"].toArray();
    const QString numbers = QStringLiteral("Bradley–Terry %1, %2 % CI %3 to %4%5")
        .arg(rounded(item["value"].toDouble(), 2), percent(protocol.analysis.level), rounded(interval[0].toDouble(), 2),
            rounded(interval[1].toDouble(), 2), preference["separated"].toBool() ? QStringLiteral(", separated") : QString());
    const QString verdict = item["verdict"].toString();
    if (verdict != QLatin1String("undecided")) return QStringLiteral("is judged %1 than %2 (%3)").arg(verdict, protocol.reference, numbers);
    return QStringLiteral("is not shown to be worse or better than %1 (%2)").arg(protocol.reference, numbers);
  }
  return {};
}

}  // namespace

QJsonArray visibility(const Protocol& protocol, const QJsonArray& detection) {
  struct Sum {
    QString variant;
    double detected = 0, variance = 0, trials = 0;
  };
  std::map<QString, Sum> sums;
  for (const QJsonValue& figure : detection) {
    Sum& sum = sums[figure["variant"].toString()];
    const double n = figure["trials"].toInt(), chance = figure["chance"].toDouble(), rate = figure["rate"].toDouble();
    sum.variant = figure["variant"].toString();
    sum.detected += n * (rate - chance) / (1 - chance);
    // Of a rate with two right and two wrong added (Agresti and Coull), so that 0 and 1 have a width, too.
    const double p = (figure["correct"].toInt() + 2) / (n + 4);
    sum.variance += n * n * p * (1 - p) / (n + 4) / ((1 - chance) * (1 - chance));
    sum.trials += n;
  }
  std::vector<Sum> order;
  for (const auto& [variant, sum] : sums) order.push_back(sum);
  std::sort(order.begin(), order.end(), [](const Sum& a, const Sum& b) { return a.detected / a.trials > b.detected / b.trials; });
  QJsonArray list;
  for (const Sum& sum : order) {
    const double value = sum.detected / sum.trials, half = statistics::zForLevel(protocol.analysis.level) * std::sqrt(sum.variance) / sum.trials;
    list << QJsonObject{{"variant", sum.variant}, {"detection", value}, {"interval", QJsonArray{value - half, value + half}}, {"trials", sum.trials}};
  }
  return list;
}

QJsonObject qualityFigures(const Rows& rows) {
  int gold = 0, gold_right = 0, repeats = 0, repeated = 0;
  std::map<QString, int> null_answers;
  std::map<std::pair<QString, int>, const ResponseRow*> main;
  std::vector<double> times;
  for (const ResponseRow* row : rows)
    if (row->trial.role == TrialRole::Main) main[{row->participant, row->trial.index}] = row;
  for (const ResponseRow* row : rows) {
    if (row->trial.role == TrialRole::Gold && row->correct) ++gold, gold_right += *row->correct;
    if (row->trial.role == TrialRole::Null && row->trial.truth.isEmpty()) ++null_answers[row->answer];
    if (row->trial.role == TrialRole::Main) times.push_back(row->response_ms);
    const auto first = main.find({row->participant, row->trial.repeat_of});
    if (row->trial.role != TrialRole::Repeat || first == main.end() || !row->correct) continue;
    ++repeats;
    repeated += row->correct == first->second->correct;
  }
  std::sort(times.begin(), times.end());
  QJsonObject answers;
  std::vector<int> counts;
  for (const auto& [answer, count] : null_answers) {
    answers[answer] = count;
    counts.push_back(count);
  }
  const QJsonValue p_even = counts.size() > 1 ? QJsonValue(statistics::evenness(counts).p_value) : QJsonValue();
  QJsonObject result{{"gold", QJsonObject{{"correct", gold_right}, {"trials", gold}}},
                     {"repeats", QJsonObject{{"same", repeated}, {"trials", repeats}}},
                     {"null", QJsonObject{{"answers", answers}, {"p_even", p_even}}}};
  if (!times.empty())
    result["response_ms"] = QJsonObject{{"median", statistics::quantile(times, 0.5)},
        {"quartiles", QJsonArray{statistics::quantile(times, 0.25), statistics::quantile(times, 0.75)}}};
  return result;
}

QString decision(const Protocol& protocol, const QJsonObject& figures, const QString& variant) {
  QStringList parts;
  for (const QJsonValue& figure : figures["detection"].toArray())
    if (figure["variant"].toString() == variant) parts << detectionSentence(protocol, figure.toObject());
  const QString preference = preferenceSentence(protocol, figures["preference"].toObject(), variant);
  if (!preference.isEmpty()) parts << preference;
  if (parts.isEmpty()) parts << QStringLiteral("was not tested");
  return QStringLiteral("`%1` %2.").arg(variant, parts.join(QStringLiteral("; it ")));
}

QJsonObject analyze(const Protocol& protocol, const QString& hash, const Responses& responses) {
  Rows all, counted;
  std::map<QString, QString> excluded;
  for (const ResponseRow& row : responses.rows) {
    if (row.trial.role == TrialRole::Practice) continue;
    all.push_back(&row);
    if (row.excluded.isEmpty()) counted.push_back(&row);
    else excluded[row.participant] = row.excluded;
  }
  const QJsonObject with = figures(protocol, counted), without = figures(protocol, all);
  const QJsonArray decisions = (protocol.analysis.exclude ? with : without)["decisions"].toArray();
  QJsonArray people;
  for (const auto& [participant, reasons] : excluded) people << QJsonObject{{"participant", participant}, {"reasons", reasons}};
  return {{"schema", 1}, {"study", hash}, {"title", protocol.title}, {"joined", responses.people}, {"decisions", decisions},
          {"headline", protocol.analysis.exclude ? "with_exclusions" : "without_exclusions"},
          {"excluded", people}, {"with_exclusions", with}, {"without_exclusions", without},
          {"questionnaires", questionnaireFigures(protocol, responses.questionnaires)},
          {"problems", QJsonArray::fromStringList(responses.problems)}};
}

}  // namespace quantspot::study
