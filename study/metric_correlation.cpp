#include "study/metric_correlation.h"

#include "study/analysis_json.h"
#include "study/error.h"
#include "study/statistics/correlation.h"

#include <algorithm>
#include <map>
#include <set>

namespace quantspot::study {
namespace {

struct Mean {
  double sum = 0;
  int count = 0;
  void add(double value) { sum += value, ++count; }
};

using Picture = std::pair<QString, QString>;   // comparison, variant

std::map<Picture, Mean> detected(const Rows& rows) {
  std::map<Picture, Mean> found;
  for (const ResponseRow* row : rows)
    if (row->trial.role == TrialRole::Main && row->correct)
      found[{row->trial.comparison, row->trial.variants[0]}].add(((*row->correct ? 1 : 0) - row->chance) / (1 - row->chance));
  return found;
}

std::map<Picture, Mean> preferred(const Protocol& protocol, const Rows& rows) {
  std::map<Picture, Mean> found;
  for (const ResponseRow* row : rows) {
    const PlannedTrial& trial = row->trial;
    if (trial.role != TrialRole::Main || trial.kind != TrialKind::Preference || !trial.shown.contains(protocol.reference)) continue;
    const qsizetype slot = trial.shown[0] == protocol.reference ? 1 : 0;
    found[{trial.comparison, trial.shown[slot]}].add(row->answer == QLatin1String("tie") ? 0.5 : row->answer[0].unicode() - 'A' == slot ? 1 : 0);
  }
  return found;
}

QJsonObject correlated(const std::vector<double>& a, const std::vector<double>& b, double level) {
  try {
    const auto entry = [](const statistics::Correlation& c) { return QJsonObject{{"value", c.value}, {"interval", json(c.interval)}}; };
    return {{"spearman", entry(statistics::spearman(a, b, level))}, {"kendall", entry(statistics::kendall(a, b, level))}};
  } catch (const std::invalid_argument& error) {
    return {{"spearman", QJsonValue()}, {"kendall", QJsonValue()}, {"reason", QString::fromUtf8(error.what())}};
  }
}

// NaN-free pairs of one metric and what people did, for the rows of one category.
QJsonObject entry(const Protocol& protocol, const CsvTable& table, int metric, int category, const QString& only,
                  const std::map<Picture, Mean>& people) {
  const int comparison = table.column(QStringLiteral("comparison")), variant = table.column(QStringLiteral("variant"));
  std::vector<double> a, b;
  for (const QStringList& row : table.rows) {
    const auto seen = people.find({row[comparison], row[variant]});
    const QString text = row[metric].trimmed();
    if (seen == people.end() || text.isEmpty() || text == QLatin1String("NA") || (!only.isEmpty() && row[category] != only)) continue;
    bool valid = false;
    a.push_back(text.toDouble(&valid));
    if (!valid) throw Error(QStringLiteral("metric %1 of %2, %3: '%4' is no number").arg(table.header[metric], row[comparison], row[variant], text));
    b.push_back(seen->second.sum / seen->second.count);
  }
  QJsonObject result = correlated(a, b, protocol.analysis.level);
  result[QStringLiteral("metric")] = table.header[metric];
  result[QStringLiteral("category")] = only.isEmpty() ? QStringLiteral("all") : only;
  result[QStringLiteral("pairs")] = static_cast<int>(a.size());
  return result;
}

// A table of another study, or of names that are written otherwise, would leave nothing to correlate, without a word.
void refuseOtherTables(const Protocol& protocol, const CsvTable& metrics) {
  const int comparison = metrics.column(QStringLiteral("comparison")), variant = metrics.column(QStringLiteral("variant"));
  const auto isOurs = [&](const QStringList& row) { return protocol.comparison(row[comparison]) && protocol.variants.contains(row[variant]); };
  if (std::none_of(metrics.rows.begin(), metrics.rows.end(), isOurs))
    throw Error(QStringLiteral("no row of the metrics names a picture of this study, such as %1, %2")
        .arg(protocol.comparisons.empty() ? QString() : protocol.comparisons[0].id, protocol.tested().value(0)));
  if (metrics.header.size() == (metrics.find(QStringLiteral("category")) >= 0 ? 3 : 2))
    throw Error(QStringLiteral("the metrics have no column beside comparison, variant and category"));
}

}  // namespace

QJsonArray metricCorrelations(const Protocol& protocol, const Rows& rows, const CsvTable& metrics) {
  refuseOtherTables(protocol, metrics);
  const int category = metrics.find(QStringLiteral("category"));
  std::set<QString> categories{QString()};
  for (const QStringList& row : metrics.rows)
    if (category >= 0) categories.insert(row[category]);
  const std::pair<const char*, std::map<Picture, Mean>> sides[] = {{"detection", detected(rows)}, {"preference", preferred(protocol, rows)}};
  QJsonArray list;
  for (int metric = 0; metric < metrics.header.size(); ++metric) {
    if (metric == category || metric == metrics.column(QStringLiteral("comparison")) || metric == metrics.column(QStringLiteral("variant"))) continue;
    for (const auto& [against, people] : sides) {
      if (people.empty()) continue;
      for (const QString& only : categories) {
        QJsonObject found = entry(protocol, metrics, metric, category, only, people);
        found[QStringLiteral("against")] = QLatin1String(against);
        list << found;
      }
    }
  }
  return list;
}

}  // namespace quantspot::study
