#include "study/analysis.h"
#include "study/analysis_json.h"
#include "study/statistics/krippendorff.h"
#include "study/statistics/mos.h"
#include "study/statistics/plackett_luce.h"

#include <algorithm>
#include <limits>
#include <map>

namespace quantspot::study {
namespace {

using namespace statistics;

Rows ofKind(const Rows& rows, TrialKind kind) {
  Rows found;
  for (const ResponseRow* row : rows)
    if (row->trial.kind == kind && row->trial.role == TrialRole::Main) found.push_back(row);
  return found;
}

// The reference first, then the rest that occurs.
QStringList names(const Protocol& protocol, const Rows& rows) {
  QStringList found{protocol.reference};
  for (const ResponseRow* row : rows)
    for (const QString& variant : row->trial.shown)
      if (!found.contains(variant)) found << variant;
  std::sort(found.begin() + 1, found.end());
  return found;
}

// Nobody's preference between the reference and a variant, ties left out: the exact sign test beside the model.
QJsonArray againstReference(const Protocol& protocol, const Rows& rows, const QStringList& items) {
  QJsonArray list;
  for (const QString& variant : items.mid(1)) {
    int better = 0, worse = 0, ties = 0;
    for (const ResponseRow* row : rows) {
      const qsizetype at = row->trial.shown.indexOf(variant);
      if (at < 0 || !row->trial.shown.contains(protocol.reference)) continue;
      if (row->answer == QLatin1String("tie")) ++ties;
      else if (row->answer[0].unicode() - 'A' == at) ++better;
      else ++worse;
    }
    if (better + worse + ties > 0)
      list << QJsonObject{{"variant", variant}, {"better", better}, {"worse", worse}, {"ties", ties},
          {"p", binomialTest(better, better + worse, 0.5, Alternative::TwoSided)}};
  }
  return list;
}

}  // namespace

QJsonValue preferenceFigures(const Protocol& protocol, const Rows& all) {
  const Rows rows = ofKind(all, TrialKind::Preference);
  if (rows.empty()) return {};
  const QStringList items = names(protocol, rows);
  std::map<std::pair<qsizetype, qsizetype>, PairCounts> counts;
  bool ties = false;
  for (const ResponseRow* row : rows) {
    const qsizetype first = items.indexOf(row->trial.shown[0]), second = items.indexOf(row->trial.shown[1]);
    PairCounts& pair = counts.try_emplace({first, second}, PairCounts{static_cast<std::size_t>(first), static_cast<std::size_t>(second), 0, 0,
        0}).first->second;
    if (row->answer == QLatin1String("tie")) ties = ++pair.ties > 0;
    else ++(row->answer == QLatin1String("A") ? pair.first_wins : pair.second_wins);
  }
  std::vector<PairCounts> pairs;
  for (const auto& [key, pair] : counts) pairs.push_back(pair);
  QJsonObject result{{"trials", static_cast<int>(rows.size())}, {"against_reference", againstReference(protocol, rows, items)}};
  try {
    const PairOptions options{.ties = ties, .order_effect = true, .level = protocol.analysis.level};
    const Abilities fit = bradleyTerry(static_cast<std::size_t>(items.size()), pairs, options);
    QJsonArray abilities = json(fit, items);
    for (qsizetype i = 1; i < abilities.size(); ++i) {   // against the reference, which stands first
      QJsonObject ability = abilities[i].toObject();
      const statistics::Interval& interval = fit.items[static_cast<std::size_t>(i)].interval;
      ability["verdict"] = interval.high < 0 ? QStringLiteral("worse") : interval.low > 0 ? QStringLiteral("better") : QStringLiteral("undecided");
      abilities[i] = ability;
    }
    result["abilities"] = abilities;
    result["log_order"] = json(fit.log_order);
    if (ties) result["log_tie"] = json(fit.log_tie);
    result["separated"] = fit.separated;
    result["bias_reduced"] = fit.bias_reduced;
  } catch (const std::exception& error) {   // items that were never compared, or too few answers
    result["reason"] = QString::fromUtf8(error.what());
  }
  return result;
}

namespace {

QJsonObject opinions(const Protocol& protocol, const Rows& rows) {
  std::map<QString, std::size_t> people, things;
  for (const ResponseRow* row : rows) {
    people.emplace(row->participant, people.size());
    things.emplace(row->trial.shown[0] + QLatin1Char('|') + row->trial.comparison, things.size());
  }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Ratings by_thing(people.size(), std::vector<double>(things.size(), kNone));
  const QStringList items = names(protocol, rows);
  Ratings sums(people.size(), std::vector<double>(static_cast<std::size_t>(items.size()), 0)), counts = sums, squares = sums;
  for (const ResponseRow* row : rows) {
    const std::size_t person = people[row->participant], item = static_cast<std::size_t>(items.indexOf(row->trial.shown[0]));
    by_thing[person][things[row->trial.shown[0] + QLatin1Char('|') + row->trial.comparison]] = row->answer.toDouble();
    sums[person][item] += row->answer.toDouble();
    squares[person][item] += row->answer.toDouble() * row->answer.toDouble();
    ++counts[person][item];
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    for (std::size_t j = 0; j < sums[i].size(); ++j) sums[i][j] = counts[i][j] > 0 ? sums[i][j] / counts[i][j] : kNone;
  QJsonArray scores, rejected;
  const SubjectBias model = subjectBias(by_thing);
  // Somebody without any noise: the likelihood has no maximum, and what the iteration stops at is nobody's quality (too few ratings). It stops
  // near 1e-3, a little earlier or later in another language; people's own noise is far above.
  const bool collapsed = *std::min_element(model.inconsistency.begin(), model.inconsistency.end()) < 1e-2;
  const auto plain = mos(sums, protocol.analysis.level);
  for (qsizetype item = 0; item < items.size(); ++item) {
    double quality = 0;
    int seen = 0;
    for (const auto& [thing, index] : things)
      if (thing.startsWith(items[item] + QLatin1Char('|'))) quality += model.quality[index], ++seen;
    const Mos& score = plain[static_cast<std::size_t>(item)];
    double roundings = 0;   // in a person's mean, over the people: answers that vary round both ways, those all alike are one
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto j = static_cast<std::size_t>(item);
      if (counts[i][j] > 0) roundings += (squares[i][j] > counts[i][j] * sums[i][j] * sums[i][j] + 1e-9 ? 1 / counts[i][j] : 1) / score.ratings;
    }
    scores << QJsonObject{{"variant", items[item]}, {"mos", score.mean},
        {"interval", json(opinionInterval(score, roundings, {1, 5}, protocol.analysis.level))}, {"people", score.ratings},
        {"quality_without_bias", collapsed ? QJsonValue() : QJsonValue(quality / seen)}};
  }
  const auto outside = bt500Rejected(by_thing);
  for (const auto& [person, index] : people)
    if (outside[index]) rejected << person;
  QJsonObject result{{"scores", scores}, {"bt500_rejected", rejected}};
  try {
    const AgreementInterval found = krippendorffInterval(by_thing, Measurement::Ordinal, protocol.analysis.level);
    result["krippendorff_ordinal"] = krippendorffAlpha(by_thing, Measurement::Ordinal);
    result["krippendorff_interval"] = found.interval ? QJsonValue(json(*found.interval)) : QJsonValue();
    if (!found.interval) result["krippendorff_reason"] = QString::fromStdString(std::string(found.reason));
  } catch (const std::invalid_argument&) {
    result["krippendorff_ordinal"] = result["krippendorff_interval"] = QJsonValue();
  }
  return result;
}

QJsonObject rankings(const Protocol& protocol, const Rows& rows) {
  const QStringList items = names(protocol, rows);
  std::vector<std::vector<std::size_t>> rankings;
  for (const ResponseRow* row : rows) {
    rankings.emplace_back();
    for (const QString& slot : row->answer.split(QLatin1Char(',')))
      rankings.back().push_back(static_cast<std::size_t>(items.indexOf(row->trial.shown[slot[0].unicode() - 'A'])));
  }
  const Abilities fit = plackettLuce(static_cast<std::size_t>(items.size()), rankings, protocol.analysis.level);
  return {{"trials", static_cast<int>(rows.size())}, {"abilities", json(fit, items)}, {"separated", fit.separated}};
}

// A study may be too small for a fit: a variant that nobody rated, a single ranking.
template <class Figures>
QJsonValue orReason(const Protocol& protocol, const Rows& rows, Figures figures) {
  if (rows.empty()) return {};
  try {
    return figures(protocol, rows);
  } catch (const std::exception& error) {
    return QJsonObject{{"trials", static_cast<int>(rows.size())}, {"reason", QString::fromUtf8(error.what())}};
  }
}

}  // namespace

QJsonValue ratingFigures(const Protocol& protocol, const Rows& all) { return orReason(protocol, ofKind(all, TrialKind::Rating), opinions); }
QJsonValue rankingFigures(const Protocol& protocol, const Rows& all) { return orReason(protocol, ofKind(all, TrialKind::Ranking), rankings); }

}  // namespace quantspot::study
