// Figures of tables that lie in CSV files.
#include "app/quantspot-study/stat.h"
#include "study/error.h"
#include "study/statistics/bradley_terry.h"
#include "study/statistics/correlation.h"
#include "study/statistics/mixed_logistic.h"
#include "study/statistics/mos.h"
#include "study/statistics/plackett_luce.h"
#include "study/statistics/psychometric.h"

#include <QJsonArray>

#include <cmath>
#include <limits>

namespace quantspot::cli {
namespace {

using namespace statistics;

QJsonArray pair(const Interval& interval) { return {interval.low, interval.high}; }

// A number of the file.
double cell(const QString& text, const QString& column) {
  bool valid = false;
  const double value = text.trimmed().toDouble(&valid);
  if (!valid) throw study::Error(QStringLiteral("%1=%2: must be a number").arg(column, text));
  return value;
}

QJsonObject json(const Estimate& estimate) {
  return {{"value", estimate.value}, {"standard_error", estimate.standard_error}, {"interval", pair(estimate.interval)}};
}

// Names to indices, in order of appearance; a reference comes first.
class Names {
 public:
  explicit Names(const QString& first = {}) {
    if (!first.isEmpty()) list_ << first;
  }
  std::size_t operator()(const QString& name) {
    if (!list_.contains(name)) list_ << name;
    return static_cast<std::size_t>(list_.indexOf(name));
  }
  const QStringList& list() const { return list_; }

 private:
  QStringList list_;
};

QJsonArray abilities(const Abilities& fit, const QStringList& names) {
  QJsonArray items;
  for (std::size_t i = 0; i < fit.items.size(); ++i) {
    QJsonObject item = json(fit.items[i]);
    item["item"] = names[static_cast<qsizetype>(i)];
    item["elo"] = eloPoints(fit.items[i].value);
    items << item;
  }
  return items;
}

// Columns first, second, first_wins, second_wins, ties; or winner, loser and, if there, count.
QJsonObject pairs(const Keys& keys, bool ties) {
  const study::CsvTable table = study::parseCsvTable(keys.file());
  Names names(keys.text("reference", {}));
  std::vector<PairCounts> counts;
  const auto value = [&](const QStringList& row, const char* column) { return cell(row[table.column(column)], column); };
  for (const QStringList& row : table.rows) {
    const bool short_form = table.find("winner") >= 0;
    const std::size_t first = names(row[table.column(short_form ? "winner" : "first")]);
    const std::size_t second = names(row[table.column(short_form ? "loser" : "second")]);
    if (short_form) counts.push_back({first, second, table.find("count") < 0 ? 1.0 : value(row, "count"), 0, 0});
    else counts.push_back({first, second, value(row, "first_wins"), value(row, "second_wins"), table.find("ties") < 0 ? 0.0 : value(row, "ties")});
  }
  const PairOptions options{.ties = ties, .order_effect = keys.count("order", 0) != 0, .level = keys.share("level", 0.95)};
  const Abilities fit = bradleyTerry(static_cast<std::size_t>(names.list().size()), counts, options, keys.count("reduce_bias", 0) != 0);
  QJsonObject result{{"abilities", abilities(fit, names.list())}, {"separated", fit.separated}, {"bias_reduced", fit.bias_reduced},
      {"log_likelihood", fit.log_likelihood}};
  if (ties) result["log_tie"] = json(fit.log_tie);
  if (options.order_effect) result["log_order"] = json(fit.log_order);
  return result;
}
QJsonObject withoutTies(const Keys& keys) { return pairs(keys, false); }
QJsonObject withTies(const Keys& keys) { return pairs(keys, true); }

// Every line a ranking, best first.
QJsonObject rankings(const Keys& keys) {
  Names names(keys.text("reference", {}));
  std::vector<std::vector<std::size_t>> orders;
  for (const QStringList& line : study::parseCsv(keys.file())) {
    orders.emplace_back();
    for (const QString& name : line) orders.back().push_back(names(name));
  }
  const Abilities fit = plackettLuce(static_cast<std::size_t>(names.list().size()), orders, keys.share("level", 0.95));
  return {{"abilities", abilities(fit, names.list())}, {"separated", fit.separated}, {"log_likelihood", fit.log_likelihood}};
}

double rating(const QString& text) {
  const QString value = text.trimmed();
  const bool none = value.isEmpty() || value == QLatin1String("NA") || value == QLatin1String("*");
  return none ? std::numeric_limits<double>::quiet_NaN() : cell(value, "rating");
}

// Columns participant, item, rating; or a bare table of numbers, a row per person.
Ratings ratings(const Keys& keys, QStringList& items) {
  const QByteArray text = keys.file();
  const auto records = study::parseCsv(text);
  Ratings result;
  if (records.isEmpty() || !records[0].contains(QStringLiteral("rating"))) {
    for (const QStringList& record : records) {
      result.emplace_back();
      for (const QString& field : record) result.back().push_back(rating(field));
    }
    for (qsizetype j = 0; !records.isEmpty() && j < records[0].size(); ++j) items << QString::number(j + 1);
    return result;
  }
  const study::CsvTable table = study::parseCsvTable(text);
  Names people, things;
  for (const QStringList& row : table.rows) things(row[table.column("item")]);
  for (const QStringList& row : table.rows) {
    const std::size_t person = people(row[table.column("participant")]);
    if (person == result.size()) result.emplace_back(things.list().size(), std::numeric_limits<double>::quiet_NaN());
    result[person][things(row[table.column("item")])] = rating(row[table.column("rating")]);
  }
  items = things.list();
  return result;
}

Measurement measurementOf(const QString& name) {
  try {
    return measurementFromName(name.toStdString());
  } catch (const std::invalid_argument& error) {
    throw UsageError(QString::fromUtf8(error.what()));
  }
}

QJsonObject agreement(const Keys& keys) {
  const Measurement measurement = measurementOf(keys.text("measurement", "ordinal"));
  QStringList items;
  const Ratings table = ratings(keys, items);
  const AgreementInterval found = krippendorffInterval(table, measurement, keys.share("level", 0.95));
  QJsonObject result{{"alpha", krippendorffAlpha(table, measurement)},
                     {"interval", found.interval ? QJsonValue(pair(*found.interval)) : QJsonValue()}};
  if (!found.interval) result["reason"] = QStringLiteral("no interval: ") + QString::fromStdString(std::string(found.reason));
  return result;
}

QJsonObject opinions(const Keys& keys) {
  QStringList items;
  const Ratings table = ratings(keys, items);
  const auto plain = mos(table, keys.share("level", 0.95));
  const SubjectBias model = subjectBias(table);
  QJsonArray scores, bias, inconsistency, rejected;
  for (std::size_t j = 0; j < plain.size(); ++j)
    scores << QJsonObject{{"item", items[static_cast<qsizetype>(j)]}, {"mean", plain[j].mean}, {"interval", pair(plain[j].interval)},
                          {"ratings", plain[j].ratings},
                          {"quality", model.quality[j]}, {"quality_error", model.quality_error[j]}};
  for (double value : model.bias) bias << value;
  for (double value : model.inconsistency) inconsistency << value;
  for (bool value : bt500Rejected(table)) rejected << value;
  return {{"items", scores}, {"bias", bias}, {"inconsistency", inconsistency}, {"bt500_rejected", rejected}};
}

// Columns participant, prompt, correct (0 or 1); every other column is a predictor beside the intercept.
QJsonObject mixed(const Keys& keys) {
  const study::CsvTable table = study::parseCsvTable(keys.file());
  Names people, prompts;
  QStringList predictors{"(intercept)"};
  const double chance = keys.share("chance", 0.5);
  std::vector<MixedRow> rows;
  for (const QString& name : table.header)
    if (name != QLatin1String("participant") && name != QLatin1String("prompt") && name != QLatin1String("correct")) predictors << name;
  for (const QStringList& row : table.rows) {
    MixedRow next{{1}, people(row[table.column("participant")]), prompts(row[table.column("prompt")]),
                  cell(row[table.column("correct")], "correct") != 0,
                  std::log(chance / (1 - chance))};
    for (qsizetype i = 1; i < predictors.size(); ++i) next.predictors.push_back(cell(row[table.column(predictors[i])], predictors[i]));
    rows.push_back(std::move(next));
  }
  const MixedFit fit = mixedLogistic(rows, keys.share("level", 0.95));
  QJsonObject fixed;
  for (std::size_t i = 0; i < fit.fixed.size(); ++i) fixed[predictors[static_cast<qsizetype>(i)]] = json(fit.fixed[i]);
  return {{"fixed", fixed}, {"participant_sd", fit.participant_sd}, {"prompt_sd", fit.prompt_sd}, {"log_likelihood", fit.log_likelihood},
      {"singular", fit.singular}};
}

// Columns x, correct, trials.
QJsonObject psychometric(const Keys& keys) {
  const double guess = keys.number("guess", 0.25), lapse = keys.number("lapse", 0);
  if (!(guess >= 0 && lapse >= 0 && guess + lapse < 1))
    throw UsageError(QStringLiteral("guess=%1, lapse=%2: must be 0 or more, and below 1 together").arg(guess).arg(lapse));
  const study::CsvTable table = study::parseCsvTable(keys.file());
  std::vector<Level> levels;
  for (const QStringList& row : table.rows)
    levels.push_back({cell(row[table.column("x")], "x"), static_cast<int>(cell(row[table.column("correct")], "correct")),
        static_cast<int>(cell(row[table.column("trials")], "trials"))});
  const Psychometric fit = fitPsychometric(levels, {guess, lapse, keys.share("level", 0.95)});
  return {{"flat", fit.flat}, {"threshold", json(fit.threshold)}, {"slope", json(fit.slope)}, {"jnd", fit.jnd},
      {"jnd_interval", pair(fit.jnd_interval)}, {"deviance", fit.deviance}, {"separated", fit.separated}};
}

// Columns a, b.
template <Correlation (*Function)(const std::vector<double>&, const std::vector<double>&, double)>
QJsonObject correlation(const Keys& keys) {
  const study::CsvTable table = study::parseCsvTable(keys.file());
  std::vector<double> a, b;
  for (const QStringList& row : table.rows) {
    a.push_back(cell(row[table.column("a")], "a"));
    b.push_back(cell(row[table.column("b")], "b"));
  }
  const Correlation result = Function(a, b, keys.share("level", 0.95));
  return {{"value", result.value}, {"interval", pair(result.interval)}, {"pairs", result.pairs}};
}

}  // namespace

QMap<QString, Stat> tableStats() {
  return {{"bradley-terry", withoutTies}, {"davidson", withTies}, {"plackett-luce", rankings}, {"krippendorff", agreement}, {"mos", opinions},
          {"mixed", mixed}, {"psychometric", psychometric}, {"spearman", correlation<spearman>}, {"kendall", correlation<kendall>}};
}

}  // namespace quantspot::cli
