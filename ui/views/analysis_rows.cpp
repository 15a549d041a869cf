#include "ui/views/analysis_rows.h"

#include "study/rounding.h"
#include "ui/models/precision_names.h"
#include "ui/views/theme.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantspot::views {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("AnalysisPage", text); }

// JSON has no infinity: what an analysis leaves out at the upper end of d′ or an odds ratio is infinite.
double upper(const QJsonValue& value) { return value.isDouble() ? value.toDouble() : std::numeric_limits<double>::infinity(); }

QString number(double value, int digits) { return study::rounded(value, digits); }

QString range(const ForestRow& row, int digits) {
  return QStringLiteral("%1 (%2 to %3)").arg(number(row.value, digits), number(row.low, digits), number(row.high, digits));
}

ForestRow rowOf(const QString& label, const QString& variant, const QJsonValue& value, const QJsonValue& interval, double factor = 1) {
  ForestRow row;
  row.label = label;
  row.color = precisionColor(variant);
  row.value = upper(value) * factor;
  row.low = interval[0].toDouble() * factor;
  row.high = upper(interval[1]) * factor;
  return row;
}

QString labelOf(const QJsonValue& figure, bool several) {
  const QString variant = ui::shortName(figure["variant"].toString());
  return several ? QStringLiteral("%1 · %2").arg(variant, figure["kind"].toString()) : variant;
}

bool hasSeveralKinds(const QJsonArray& detection) {
  for (const QJsonValue& figure : detection)
    if (figure["kind"] != detection[0]["kind"] || figure["slots"] != detection[0]["slots"]) return true;
  return false;
}

QString verdictText(const QString& verdict) {
  return verdict == QLatin1String("noticeable") ? tr("noticeable") : verdict == QLatin1String("not-noticeable") ? tr("not noticeable") : tr("undecided");
}

}  // namespace

std::vector<ForestRow> detectionRows(const QJsonObject& part) {
  const QJsonArray detection = part["detection"].toArray();
  const bool several = hasSeveralKinds(detection);
  std::vector<ForestRow> rows;
  for (const QJsonValue& f : detection) {
    ForestRow pooled = rowOf(labelOf(f, several), f["variant"].toString(), f["detection"], f["detection_interval"], 100);
    pooled.tip = tr("%1, %2: %3. Detection %4 %, %5 of %6 right, chance %7 %, p = %8 (Holm %9)").arg(f["variant"].toString(), f["kind"].toString(),
        verdictText(f["verdict"].toString()), range(pooled, 1)).arg(f["correct"].toInt()).arg(f["trials"].toInt()).arg(f["chance"].toDouble() * 100, 0, 'f', 0)
        .arg(QString::number(f["p"].toDouble(), 'g', 3), QString::number(f["p_holm"].toDouble(), 'g', 3));
    const QJsonValue mixed = f["mixed"];
    rows.push_back(pooled);
    if (!mixed.toObject().contains(QStringLiteral("detection"))) continue;
    ForestRow average = rowOf(tr("average person"), f["variant"].toString(), mixed["detection"], mixed["detection_interval"], 100);
    average.hollow = true;
    average.tip = tr("%1, %2: the average participant and prompt (mixed model) detects %3 %; participants differ by %4, prompts by %5 (logit)")
        .arg(f["variant"].toString(), f["kind"].toString(), range(average, 1)).arg(mixed["participant_sd"].toDouble(), 0, 'f', 2)
        .arg(mixed["prompt_sd"].toDouble(), 0, 'f', 2);
    rows.push_back(average);
  }
  return rows;
}

std::vector<ForestRow> dprimeRows(const QJsonObject& part) {
  const QJsonArray detection = part["detection"].toArray();
  const bool several = hasSeveralKinds(detection);
  std::vector<ForestRow> rows;
  for (const QJsonValue& f : detection) {
    const QJsonObject all = f["dprime"].toObject();
    for (const QString& model : all.keys()) {
      if (!all[model].isObject()) continue;
      const bool second = model == QLatin1String("independent");   // keys come in alphabetical order, differencing first
      ForestRow row = rowOf(second ? tr("judged one by one") : labelOf(f, several), f["variant"].toString(), all[model]["value"], all[model]["interval"]);
      row.hollow = second;
      row.tip = tr("%1, %2 (%3): d′ = %4").arg(f["variant"].toString(), f["kind"].toString(), model, range(row, 2));
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<ForestRow> abilityRows(const QJsonArray& abilities) {
  std::vector<ForestRow> rows;
  for (const QJsonValue& item : abilities) {
    const QString variant = item["variant"].toString();
    ForestRow row = rowOf(ui::shortName(variant), variant, item["value"], item["interval"]);
    row.tip = rows.empty() ? tr("%1: the reference, 0 by definition").arg(variant) : tr("%1: %2 (log odds of being preferred to the reference)")
        .arg(variant, range(row, 2));
    rows.push_back(row);
  }
  return rows;
}

std::vector<ForestRow> ratingRows(const QJsonObject& part) {
  std::vector<ForestRow> rows;
  for (const QJsonValue& score : part["rating"]["scores"].toArray()) {
    const QString variant = score["variant"].toString();
    ForestRow row = rowOf(ui::shortName(variant), variant, score["mos"], score["interval"]);
    row.tip = tr("%1: mean opinion score %2, %3 people").arg(variant, range(row, 2)).arg(score["people"].toInt());
    rows.push_back(row);
    if (!score["quality_without_bias"].isDouble()) continue;   // too few ratings for the model
    ForestRow unbiased = row;
    unbiased.label = tr("without bias");
    unbiased.value = unbiased.low = unbiased.high = score["quality_without_bias"].toDouble();
    unbiased.hollow = true;
    unbiased.tip = tr("%1: quality without the participants' bias %2").arg(variant, number(unbiased.value, 2));
    rows.push_back(unbiased);
  }
  return rows;
}

std::vector<ForestRow> shareRows(const QJsonObject& figure, const QString& by, const QMap<QString, QString>& names) {
  std::vector<ForestRow> rows;
  for (const QJsonValue& share : figure[by == QLatin1String("participant") ? QStringLiteral("per_participant") : QStringLiteral("per_prompt")].toArray()) {
    const QString id = share[by].toString(), name = names.value(id, id);
    ForestRow row = rowOf(name, figure["variant"].toString(), share["rate"], share["interval"], 100);
    row.tip = tr("%1: %2 of %3 right, %4 %").arg(name).arg(share["correct"].toInt()).arg(share["trials"].toInt()).arg(range(row, 0));
    rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ForestRow& a, const ForestRow& b) { return a.value > b.value; });
  return rows;
}

std::vector<ForestRow> timeRows(const QJsonObject& part) {
  std::vector<ForestRow> rows;
  for (const QJsonValue& times : part["response_times"].toArray()) {
    const QString variant = times["variant"].toString(), which = times["answers"].toString(), kind = times["kind"].toString();
    const QJsonArray q = times["quantiles_ms"].toArray();
    ForestRow row;
    row.label = variant == QLatin1String("all") ? tr("%1, all").arg(kind) : QStringLiteral("%1 · %2").arg(ui::shortName(variant), which);
    row.color = variant == QLatin1String("all") ? theme().text : precisionColor(variant);
    row.hollow = which == QLatin1String("wrong");
    row.value = q[2].toDouble() / 1000, row.low = q[0].toDouble() / 1000, row.high = q[4].toDouble() / 1000;
    row.innerLow = q[1].toDouble() / 1000, row.innerHigh = q[3].toDouble() / 1000;
    row.tip = tr("%1, %2: median %3 s, quartiles %4 to %5 s, 5 to 95 %: %6 to %7 s, %8 trials").arg(kind, row.label, number(row.value, 1),
        number(*row.innerLow, 1), number(*row.innerHigh, 1), number(row.low, 1), number(row.high, 1)).arg(times["trials"].toInt());
    rows.push_back(row);
  }
  return rows;
}

std::vector<ForestRow> visibilityRows(const QJsonObject& part) {
  std::vector<ForestRow> rows;
  for (const QJsonValue& entry : part["visibility"].toArray()) {
    const QString variant = entry["variant"].toString();
    ForestRow row = rowOf(ui::shortName(variant), variant, entry["detection"], entry["interval"], 100);
    row.tip = tr("%1: detection %2 %, %3 trials").arg(variant, range(row, 1)).arg(entry["trials"].toInt());
    rows.push_back(row);
  }
  return rows;
}

std::vector<ForestRow> metricRows(const QJsonArray& metrics, const QString& against, const QString& category, const QString& measure) {
  std::vector<ForestRow> rows;
  for (const QJsonValue& entry : metrics) {
    if (entry["against"].toString() != against || entry["category"].toString() != category || !entry[measure].isObject()) continue;
    ForestRow row = rowOf(entry["metric"].toString(), {}, entry[measure]["value"], entry[measure]["interval"]);
    row.color = theme().accent;
    row.tip = tr("%1 with %2 (%3): %4, %5 pictures").arg(row.label, against, category, range(row, 2)).arg(entry["pairs"].toInt());
    rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ForestRow& a, const ForestRow& b) { return std::abs(a.value) > std::abs(b.value); });
  return rows;
}

}  // namespace quantspot::views
