#include "study/statistics/mos.h"

#include "study/statistics/normal.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

struct Moments {
  double mean = 0, sd = 0, kurtosis = 0;   // population forms
  int count = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (double v : values)
    if (!std::isnan(v)) m.mean += v, ++m.count;
  m.mean /= m.count;
  double second = 0, fourth = 0;
  for (double v : values) {
    if (std::isnan(v)) continue;
    const double square = (v - m.mean) * (v - m.mean);
    second += square;
    fourth += square * square;
  }
  m.sd = std::sqrt(second / m.count);
  m.kurtosis = m.count * fourth / (second * second);
  return m;
}

std::size_t things(const Ratings& ratings) {
  if (ratings.empty() || ratings[0].empty()) throw std::invalid_argument("there are no ratings");
  for (const auto& row : ratings)
    if (row.size() != ratings[0].size()) throw std::invalid_argument("the rows of ratings have unequal lengths");
  return ratings[0].size();
}

std::vector<double> column(const Ratings& ratings, std::size_t thing) {
  std::vector<double> values;
  for (const auto& row : ratings) values.push_back(row[thing]);
  return values;
}

void biasFromQuality(const Ratings& ratings, SubjectBias& model) {
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    std::vector<double> rest = ratings[i];
    for (std::size_t j = 0; j < rest.size(); ++j) rest[j] -= model.quality[j];
    model.bias[i] = moments(rest).mean;
  }
}

void spreadFromResidues(const Ratings& ratings, SubjectBias& model) {
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    std::vector<double> rest = ratings[i];
    for (std::size_t j = 0; j < rest.size(); ++j) rest[j] -= model.quality[j] + model.bias[i];
    model.inconsistency[i] = moments(rest).sd;
  }
}

// Returns how far the qualities moved.
double qualityFromBias(const Ratings& ratings, SubjectBias& model) {
  constexpr double kFloor = 1e-8;   // of a variance, as the reference has it: a person without any spread
  double moved = 0;
  for (std::size_t j = 0; j < model.quality.size(); ++j) {
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < ratings.size(); ++i) {
      if (std::isnan(ratings[i][j])) continue;
      const double weight = 1 / (model.inconsistency[i] * model.inconsistency[i] + kFloor);
      sum += weight * (ratings[i][j] - model.bias[i]);
      weights += weight;
    }
    const double next = sum / weights;
    moved += (next - model.quality[j]) * (next - model.quality[j]);
    model.quality[j] = next;
  }
  return std::sqrt(moved);
}

// Two people whose ratings mirror each other stand in balance, from which every step leads further away: without this push rounding alone would
// decide whether the iteration ever leaves it. What is stable is reached from here as well.
void leaveTheBalance(SubjectBias& model) {
  const auto people = static_cast<double>(model.inconsistency.size());
  for (std::size_t i = 0; i < model.inconsistency.size(); ++i) model.inconsistency[i] *= 1 + 0.01 * static_cast<double>(i + 1) / people;
}

}  // namespace

std::vector<Mos> mos(const Ratings& ratings, double level) {
  std::vector<Mos> result;
  for (std::size_t j = 0; j < things(ratings); ++j) {
    const Moments m = moments(column(ratings, j));
    if (m.count == 0) throw std::invalid_argument("thing " + std::to_string(j) + " has no rating");
    const double half = m.count < 2 ? 0 : tForLevel(level, m.count - 1) * m.sd / std::sqrt(m.count - 1.0);
    result.push_back({m.mean, {m.mean - half, m.mean + half}, m.count, m.count < 2 ? 0 : m.sd * m.sd * m.count / (m.count - 1)});
  }
  return result;
}

Interval opinionInterval(const Mos& score, double roundings, const Interval& scale, double level) {
  if (score.ratings < 2) return scale;
  constexpr double kHidden = 0.25, kPeople = 12;   // the weakest that held in every setting of docs/study-analysis.md
  const double rounding = roundings * kHidden * kPeople / (score.ratings + kPeople);
  const double length = scale.high - scale.low, place = std::clamp((score.mean - scale.low) / length, 0.0, 1.0);
  const double variance = (score.variance + rounding) / (length * length) / score.ratings, widest = place * (1 - place);
  const double people = widest > 1e-12 ? std::max(1.0, widest / variance) : score.ratings, t = tForLevel(level, score.ratings - 1);
  const double squared = t * t / people, middle = (place + squared / 2) / (1 + squared);
  const double half = std::sqrt(squared * widest + squared * squared / 4) / (1 + squared);
  return {scale.low + length * std::max(0.0, middle - half), scale.low + length * std::min(1.0, middle + half)};
}

SubjectBias subjectBias(const Ratings& ratings) {
  SubjectBias model;
  for (const Mos& start : mos(ratings)) model.quality.push_back(start.mean);
  model.bias.resize(ratings.size());
  model.inconsistency.resize(ratings.size());
  for (std::size_t i = 0; i < ratings.size(); ++i)
    if (moments(ratings[i]).count == 0) throw std::invalid_argument("person " + std::to_string(i) + " gave no rating");
  biasFromQuality(ratings, model);
  double moved = 1;
  for (int i = 0; i < 1000 && moved >= 1e-8; ++i) {
    spreadFromResidues(ratings, model);
    if (i == 0) leaveTheBalance(model);
    moved = qualityFromBias(ratings, model);
    biasFromQuality(ratings, model);
  }
  for (std::size_t j = 0; j < model.quality.size(); ++j) {
    double information = 0;
    for (std::size_t i = 0; i < ratings.size(); ++i)
      if (!std::isnan(ratings[i][j])) information += 1 / (model.inconsistency[i] * model.inconsistency[i]);
    model.quality_error.push_back(1 / std::sqrt(information));
  }
  double mean = 0;
  for (double bias : model.bias) mean += bias / static_cast<double>(model.bias.size());
  for (double& bias : model.bias) bias -= mean;
  for (double& quality : model.quality) quality += mean;
  return model;
}

std::vector<bool> bt500Rejected(const Ratings& ratings) {
  std::vector<double> above(ratings.size()), below(ratings.size());
  const std::size_t count = things(ratings);
  for (std::size_t j = 0; j < count; ++j) {
    const Moments m = moments(column(ratings, j));
    const double reach = (m.kurtosis >= 2 && m.kurtosis <= 4 ? 2 : std::sqrt(20.0)) * m.sd;
    for (std::size_t i = 0; i < ratings.size(); ++i) {
      if (ratings[i][j] >= m.mean + reach) ++above[i];
      if (ratings[i][j] <= m.mean - reach) ++below[i];
    }
  }
  std::vector<bool> rejected;
  for (std::size_t i = 0; i < ratings.size(); ++i) {
    const double outside = above[i] + below[i];
    rejected.push_back(outside / static_cast<double>(count) > 0.05 && std::abs(above[i] - below[i]) / outside < 0.3);
  }
  if (std::find(rejected.begin(), rejected.end(), false) == rejected.end()) rejected.assign(ratings.size(), false);
  return rejected;
}

}  // namespace quantspot::statistics
