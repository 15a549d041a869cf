#include "study/analysis.h"

#include "study/analysis_json.h"
#include "study/attestation.h"
#include "study/rounding.h"
#include "study/statistics/chi_square.h"
#include "study/statistics/detection.h"
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

// What a rule that may stop early found: "; the sequential test chose 25 % over 40 % after 63 trials".
QString sequentialClause(const Protocol& protocol, const QJsonObject& figure) {
  if (!figure.contains(QStringLiteral("sprt"))) return {};
  const QString null = percent(protocol.stopping.null_rate), other = percent(protocol.stopping.alternative_rate);
  const QString verdict = figure["sprt"]["verdict"].toString();
  const QString trials = counted(figure["sprt"]["trials"].toInt(), "trial", "trials");
  if (verdict == QLatin1String("continue"))
    return QStringLiteral("; the sequential test has not chosen between %1 % and %2 % in %3").arg(null, other, trials);
  const bool seen = verdict == QLatin1String("accept-alternative");
  return QStringLiteral("; the sequential test chose %1 % over %2 % after %3").arg(seen ? other : null, seen ? null : other, trials);
}

QString detectionSentence(const Protocol& protocol, const QJsonObject& figure) {
  const QString verdict = figure["verdict"].toString(), margin = percent(protocol.analysis.margin);
  const QJsonArray interval = figure["rate_interval"].toArray(), detection = figure["detection_interval"].toArray();
  const QString numbers = QStringLiteral("%1: %2 % right, %3 % %9CI %4–%5 %, chance %6 %, %7, %8%10")
      .arg(figure["kind"].toString(), percent(figure["rate"].toDouble()), percent(protocol.analysis.level), percent(interval[0].toDouble()),
           percent(interval[1].toDouble()), percent(figure["chance"].toDouble()))
      .arg(counted(figure["people"].toInt(), "person", "people"), counted(figure["trials"].toInt(), "trial", "trials"))
      .arg(figure["interval_method"].toString() == QLatin1String("always-valid") ? QStringLiteral("always-valid ") : QString(),
           sequentialClause(protocol, figure));
  if (verdict == QLatin1String("not-noticeable")) return QStringLiteral("is not noticeable at margin %1 % (%2)").arg(margin, numbers);
  if (verdict == QLatin1String("noticeable")) return QStringLiteral("is noticeable (%1)").arg(numbers);
  // Pooled answers or the average participant, whichever leaves more open.
  const double upper = std::max(detection[1].toDouble(), figure["mixed"]["detection_interval"][1].toDouble());
  return QStringLiteral("is neither shown to be noticeable nor shown to be within the margin of %1 %: up to %2 % of the differences may be seen (%3)")
      .arg(margin, percent(upper), numbers);
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

// "3.42 (95 % CI 3.01 to 3.80)"
QString ratedText(const Protocol& protocol, const QJsonValue& score) {
  return QStringLiteral("%1 (%2 % CI %3 to %4)").arg(rounded(score["mos"].toDouble(), 2), percent(protocol.analysis.level),
      rounded(score["interval"][0].toDouble(), 2), rounded(score["interval"][1].toDouble(), 2));
}

QStringList ratingSentence(const Protocol& protocol, const QJsonObject& rating, const QString& variant) {
  QString own, reference;
  for (const QJsonValue& score : rating["scores"].toArray()) {
    if (score["variant"].toString() == variant) own = ratedText(protocol, score);
    if (score["variant"].toString() == protocol.reference) reference = QStringLiteral(", %1 %2").arg(protocol.reference, ratedText(protocol, score));
  }
  return own.isEmpty() ? QStringList() : QStringList(QStringLiteral("is rated ") + own + reference);
}

QStringList rankingSentence(const Protocol& protocol, const QJsonObject& ranking, const QString& variant) {
  for (const QJsonValue& item : ranking["abilities"].toArray()) {
    if (item["variant"].toString() != variant) continue;
    const double low = item["interval"][0].toDouble(), high = item["interval"][1].toDouble();
    const QString numbers = QStringLiteral("%1 (Plackett–Luce %2, %3 % CI %4 to %5%6)")
        .arg(protocol.reference, rounded(item["value"].toDouble(), 2), percent(protocol.analysis.level), rounded(low, 2), rounded(high, 2),
             ranking["separated"].toBool() ? QStringLiteral(", separated") : QString());
    if (low <= 0 && high >= 0) return {QStringLiteral("is not shown to be ranked below or above ") + numbers};
    return {(high < 0 ? QStringLiteral("is ranked below ") : QStringLiteral("is ranked above ")) + numbers};
  }
  return {};
}

QString withoutEstimate(const QJsonObject& figures) {
  bool few = false;
  for (const char* kind : {"preference", "rating", "ranking"}) few = few || figures[QLatin1String(kind)].toObject().contains("reason");
  return few ? QStringLiteral("has too few answers for an estimate") : QStringLiteral("has no answers that count");
}

QString memoryText(double bytes) {
  return bytes < 1e9 ? rounded(bytes / 1e6, 0) + QStringLiteral(" MB") : rounded(bytes / 1e9, 1) + QStringLiteral(" GB");
}

// "it needs 12.6 GB instead of 31.4 GB", "it takes 1.0× the time": where both were measured.
QStringList costClauses(const Protocol& protocol, const QString& variant) {
  const VariantCost own = protocol.costs.value(variant), reference = protocol.costs.value(protocol.reference);
  QStringList clauses;
  if (own.memory_bytes > 0 && reference.memory_bytes > 0)
    clauses << QStringLiteral("needs %1 instead of %2").arg(memoryText(own.memory_bytes), memoryText(reference.memory_bytes));
  if (own.seconds > 0 && reference.seconds > 0)
    clauses << QStringLiteral("takes %1× the time").arg(rounded(own.seconds / reference.seconds, 1));
  return clauses;
}

}  // namespace

QJsonArray visibility(const Protocol& protocol, const QJsonArray& detection) {
  std::map<QString, std::vector<statistics::DetectionCount>> kinds;
  for (const QJsonValue& figure : detection)
    kinds[figure["variant"].toString()].push_back({figure["correct"].toInt(), figure["trials"].toInt(), figure["chance"].toDouble()});
  std::vector<std::pair<QString, statistics::PooledDetection>> order;
  for (const auto& [variant, counts] : kinds) order.push_back({variant, statistics::pooledDetection(counts, protocol.analysis.level)});
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second.value > b.second.value; });
  QJsonArray list;
  for (const auto& [variant, pooled] : order)
    list << QJsonObject{{"variant", variant}, {"detection", pooled.value}, {"interval", json(pooled.interval)}, {"trials", pooled.trials}};
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
  if (parts.isEmpty())   // nobody was asked to find or to prefer it
    parts << ratingSentence(protocol, figures["rating"].toObject(), variant) << rankingSentence(protocol, figures["ranking"].toObject(), variant);
  if (parts.isEmpty()) parts << withoutEstimate(figures);
  else parts << costClauses(protocol, variant);
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
  QJsonObject result{{"schema", 1}, {"version", kAnalysisVersion}, {"study", hash}, {"title", protocol.title}, {"joined", responses.people},
          {"decisions", decisions}, {"headline", protocol.analysis.exclude ? "with_exclusions" : "without_exclusions"},
          {"excluded", people}, {"with_exclusions", with}, {"without_exclusions", without},
          {"questionnaires", questionnaireFigures(protocol, responses.questionnaires)}, {"attestation", attestationFigures(protocol)},
          {"problems", QJsonArray::fromStringList(responses.problems)}};
  if (protocol.colour_plates > 0) result["colour_vision"] = plateFigures(protocol, responses.plates);
  return result;
}

}  // namespace quantspot::study
