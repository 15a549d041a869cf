#include "study/ratings.h"

#include "study/statistics/mos.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace quantspot::study {
namespace {

constexpr double kLowest = 1, kHighest = 5;

// Between low and high lie all values.
GradeMean meanOf(const std::vector<double>& values, double low, double high) {
  GradeMean mean{.n = static_cast<int>(values.size()), .ci95 = {}};
  for (const double value : values) mean.value += value / mean.n;
  if (mean.n < 2) return mean;
  double squares = 0;
  for (const double value : values) squares += (value - mean.value) * (value - mean.value);
  const auto found = statistics::opinionInterval({mean.value, {}, mean.n, squares / (mean.n - 1)}, 1, {low, high});
  mean.ci95 = {found.low, found.high};
  return mean;
}

QString number(double value) { return QString::number(value, 'f', 1); }

QString withSign(double value) {
  const double rounded = std::round(value * 10) / 10;
  return (rounded > 0 ? QStringLiteral("+") : rounded < 0 ? QStringLiteral("−") : QString()) + number(std::abs(rounded));
}

}  // namespace

QString gradeWord(int grade) {
  static const QStringList words{QStringLiteral("Bad"), QStringLiteral("Poor"), QStringLiteral("Fair"), QStringLiteral("Good"),
      QStringLiteral("Excellent")};
  return words.value(grade - 1);
}

std::vector<RatingMean> ratingMeans(const std::vector<RatedTile>& tiles, const QString& model) {
  const QString reference = QString::fromLatin1(kReference);
  QStringList order;
  std::map<QString, std::map<qint64, double>> grades;   // by precision, by trial
  for (const RatedTile& tile : tiles) {
    if (tile.model != model) continue;
    if (!order.contains(tile.precision)) order << tile.precision;
    grades[tile.precision][tile.trial] = tile.grade;
  }
  if (order.removeOne(reference)) order.prepend(reference);
  std::vector<RatingMean> means;
  for (const QString& precision : order) {
    std::vector<double> all, changes;
    for (const auto& [trial, grade] : grades[precision]) {
      all.push_back(grade);
      const auto beside = grades[reference].find(trial);
      if (precision != reference && beside != grades[reference].end()) changes.push_back(grade - beside->second);
    }
    RatingMean& mean = means.emplace_back(RatingMean{precision, meanOf(all, kLowest, kHighest), {}});
    if (!changes.empty()) mean.change = meanOf(changes, kLowest - kHighest, kHighest - kLowest);
  }
  return means;
}

QString gradeText(const GradeMean& mean) {
  return mean.ci95 ? QStringLiteral("%1 (%2–%3)").arg(number(mean.value), number(mean.ci95->first), number(mean.ci95->second)) : number(mean.value);
}

QString changeText(const GradeMean& change) {
  if (!change.ci95) return withSign(change.value);
  return QStringLiteral("%1 (%2 to %3)").arg(withSign(change.value), withSign(change.ci95->first), withSign(change.ci95->second));
}

}  // namespace quantspot::study
