#include "study/statistics/krippendorff.h"

#include "study/statistics/linear.h"
#include "study/statistics/normal.h"
#include "study/statistics/quantile.h"
#include "study/statistics/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

// Ratings as value indices, one list per thing; only things rated twice or more count.
struct Coded {
  std::vector<double> values;
  std::vector<std::vector<std::size_t>> units;
};

Coded code(const Ratings& ratings) {
  Coded coded;
  const std::size_t things = ratings.empty() ? 0 : ratings[0].size();
  for (const auto& row : ratings) {
    if (row.size() != things) throw std::invalid_argument("the rows of ratings have unequal lengths");
    for (double value : row)
      if (!std::isnan(value)) coded.values.push_back(value);
  }
  std::sort(coded.values.begin(), coded.values.end());
  coded.values.erase(std::unique(coded.values.begin(), coded.values.end()), coded.values.end());
  for (std::size_t thing = 0; thing < things; ++thing) {
    std::vector<std::size_t> unit;
    for (const auto& row : ratings)
      if (!std::isnan(row[thing]))
        unit.push_back(static_cast<std::size_t>(std::lower_bound(coded.values.begin(), coded.values.end(), row[thing]) - coded.values.begin()));
    if (unit.size() >= 2) coded.units.push_back(std::move(unit));
  }
  if (coded.units.empty()) throw std::invalid_argument("nothing was rated by two people: agreement is undefined");
  return coded;
}

double distance(Measurement measurement, const Vector& totals, const Vector& values, std::size_t a, std::size_t b) {
  if (measurement == Measurement::Nominal) return a == b ? 0 : 1;
  if (measurement == Measurement::Interval) return (values[a] - values[b]) * (values[a] - values[b]);
  double between = -(totals[a] + totals[b]) / 2;   // ordinal: how many ratings lie from one to the other
  for (std::size_t k = std::min(a, b); k <= std::max(a, b); ++k) between += totals[k];
  return between * between;
}

// NaN where all values are equal.
double alpha(const std::vector<const std::vector<std::size_t>*>& units, const Vector& values, Measurement measurement) {
  const std::size_t n = values.size();
  Matrix coincidences(n, n);
  for (const auto* unit : units) {
    const double share = 1.0 / static_cast<double>(unit->size() - 1);
    for (std::size_t i = 0; i < unit->size(); ++i)
      for (std::size_t j = 0; j < unit->size(); ++j)
        if (i != j) coincidences((*unit)[i], (*unit)[j]) += share;
  }
  Vector totals(n);
  double all = 0, observed = 0, expected = 0;
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) totals[a] += coincidences(a, b);
  for (double total : totals) all += total;
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      if (a == b) continue;
      const double d = distance(measurement, totals, values, a, b);
      observed += coincidences(a, b) * d;
      expected += totals[a] * totals[b] * d / (all - 1);
    }
  return 1 - observed / expected;
}

}  // namespace

Measurement measurementFromName(std::string_view name) {
  if (name == "nominal") return Measurement::Nominal;
  if (name == "ordinal") return Measurement::Ordinal;
  if (name == "interval") return Measurement::Interval;
  throw std::invalid_argument("level=" + std::string(name) + ": must be nominal, ordinal or interval");
}

double krippendorffAlpha(const Ratings& ratings, Measurement measurement) {
  const Coded coded = code(ratings);
  std::vector<const std::vector<std::size_t>*> units;
  for (const auto& unit : coded.units) units.push_back(&unit);
  const double result = alpha(units, coded.values, measurement);
  if (std::isnan(result)) throw std::invalid_argument("every rating is the same: agreement is undefined");
  return result;
}

Interval krippendorffInterval(const Ratings& ratings, Measurement measurement, double level) {
  const double value = krippendorffAlpha(ratings, measurement);
  if (value >= 1) return {1, 1};
  const Coded coded = code(ratings);
  const std::size_t n = coded.units.size();
  double per_thing = 0;
  for (const auto& unit : coded.units) per_thing += static_cast<double>(unit.size()) / static_cast<double>(n);
  const double least = -1 / (per_thing - 1);
  const auto scaled = [&](double a) { return std::log(std::max(1e-9, (a - least) / (1 - least)) / std::max(1e-9, 1 - a)); };
  Vector without;
  for (std::size_t left_out = 0; left_out < n && n > 2; ++left_out) {
    std::vector<const std::vector<std::size_t>*> units;
    for (std::size_t i = 0; i < n; ++i)
      if (i != left_out) units.push_back(&coded.units[i]);
    const double found = alpha(units, coded.values, measurement);
    if (std::isnan(found)) return {-1, 1};
    without.push_back(scaled(found));
  }
  if (without.empty()) return {-1, 1};
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / static_cast<double>(n);
  double squares = 0;
  for (double x : without) squares += (x - mean) * (x - mean);
  const double freedom = static_cast<double>(n) - 1;
  const double half = tForLevel(level, freedom) * std::sqrt(squares * freedom / static_cast<double>(n)), middle = scaled(value);
  const auto back = [&](double x) { return (least + (1 - least) * std::exp(x)) / (1 + (1 - least) * std::exp(x)); };
  return {back(middle - half), std::isfinite(std::exp(middle + half)) ? back(middle + half) : 1.0};
}

Interval krippendorffBootstrap(const Ratings& ratings, Measurement measurement, double level, int draws, std::uint64_t seed) {
  krippendorffAlpha(ratings, measurement);   // refuses what has no value
  const Coded coded = code(ratings);
  Random random(seed);
  std::vector<double> found;
  while (static_cast<int>(found.size()) < draws) {
    std::vector<const std::vector<std::size_t>*> units;
    for (std::size_t i = 0; i < coded.units.size(); ++i) units.push_back(&coded.units[random.below(coded.units.size())]);
    const double value = alpha(units, coded.values, measurement);
    if (!std::isnan(value)) found.push_back(value);
  }
  std::sort(found.begin(), found.end());
  return {quantile(found, (1 - level) / 2), quantile(found, (1 + level) / 2)};
}

}  // namespace quantspot::statistics
