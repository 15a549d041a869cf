#include "study/statistics/krippendorff.h"

#include "study/statistics/jackknife.h"
#include "study/statistics/linear.h"
#include "study/statistics/normal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

// How often each value was given to one thing.
struct Unit {
  Vector counts;
  double ratings = 0;
};

// Only things rated twice or more count.
struct Coded {
  Vector values;
  std::vector<Unit> units;
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
    Unit unit{Vector(coded.values.size()), 0};
    for (const auto& row : ratings) {
      if (std::isnan(row[thing])) continue;
      ++unit.counts[static_cast<std::size_t>(std::lower_bound(coded.values.begin(), coded.values.end(), row[thing]) - coded.values.begin())];
      ++unit.ratings;
    }
    if (unit.ratings >= 2) coded.units.push_back(std::move(unit));
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

// Which values met in one thing, over things that can be put in and taken out.
class Coincidences {
 public:
  Coincidences(const Vector& values, Measurement measurement) : values_(values), measurement_(measurement), pairs_(values.size(), values.size()),
      totals_(values.size()) {}

  void add(const Unit& unit, double times = 1) {
    for (std::size_t a = 0; a < unit.counts.size(); ++a) {
      if (unit.counts[a] == 0) continue;
      totals_[a] += times * unit.counts[a];
      for (std::size_t b = 0; b < unit.counts.size(); ++b)
        if (a != b) pairs_(a, b) += times * unit.counts[a] * unit.counts[b] / (unit.ratings - 1);
    }
  }

  // Variance of the mean of (how far a rating lies from all, by the level's distance), as a share of that mean squared, with so many
  // things: what is not known of the disagreement that chance gives if each thing is clear to all. 0 where all values are equal.
  double oneSidedness(double things) const {
    const double all = std::accumulate(totals_.begin(), totals_.end(), 0.0);
    double mean = 0, square = 0;
    for (std::size_t a = 0; a < values_.size(); ++a) {
      double far = 0;
      for (std::size_t b = 0; b < values_.size(); ++b) far += totals_[b] / all * distance(measurement_, totals_, values_, a, b);
      mean += totals_[a] / all * far;
      square += totals_[a] / all * far * far;
    }
    return mean > 0 ? (square / (mean * mean) - 1) / things : 0;
  }

  // NaN where all values are equal.
  double alpha() const {
    const double all = std::accumulate(totals_.begin(), totals_.end(), 0.0);
    double observed = 0, expected = 0;
    for (std::size_t a = 0; a < values_.size(); ++a)
      for (std::size_t b = 0; b < a; ++b) {
        const double d = distance(measurement_, totals_, values_, a, b);
        observed += pairs_(a, b) * d;
        expected += totals_[a] * totals_[b] * d / (all - 1);
      }
    return expected > 0 ? 1 - observed / expected : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  const Vector& values_;
  const Measurement measurement_;
  Matrix pairs_;
  Vector totals_;
};

// α without each thing in turn.
Vector leavingOut(const Coded& coded, Measurement measurement) {
  Coincidences all(coded.values, measurement);
  for (const Unit& unit : coded.units) all.add(unit);
  Vector found;
  for (const Unit& unit : coded.units) {
    all.add(unit, -1);
    found.push_back(all.alpha());
    all.add(unit);
  }
  return found;
}

// How many things the variance of a share is worth: that of the jackknife, mixed with what all-or-nothing things would have.
double effectiveThings(double share, const Spread& spread, double n) {
  const double widest = share * (1 - share);
  const double mixed = spread.freedom * spread.variance + kBinomialFreedom * std::max(spread.variance, widest / n);
  const double variance = mixed / (spread.freedom + kBinomialFreedom);
  return variance > 1e-12 && widest > 1e-12 ? std::max(1.0, widest / variance) : n;
}

Interval wilsonOf(double share, double things, double t) {
  const double squared = t * t / things;
  const double middle = (share + squared / 2) / (1 + squared);
  const double half = std::sqrt(t * t * share * (1 - share) / things + squared * squared / 4) / (1 + squared);
  return {std::max(0.0, middle - half), middle + half};
}

}  // namespace

Measurement measurementFromName(std::string_view name) {
  if (name == "nominal") return Measurement::Nominal;
  if (name == "ordinal") return Measurement::Ordinal;
  if (name == "interval") return Measurement::Interval;
  throw std::invalid_argument("measurement=" + std::string(name) + ": must be nominal, ordinal or interval");
}

double krippendorffAlpha(const Ratings& ratings, Measurement measurement) {
  const Coded coded = code(ratings);
  Coincidences all(coded.values, measurement);
  for (const Unit& unit : coded.units) all.add(unit);
  const double result = all.alpha();
  if (std::isnan(result)) throw std::invalid_argument("every rating is the same: agreement is undefined");
  return result;
}

AgreementInterval krippendorffInterval(const Ratings& ratings, Measurement measurement, double level) {
  const double value = krippendorffAlpha(ratings, measurement);
  const Coded coded = code(ratings);
  const double n = static_cast<double>(coded.units.size());
  if (n < kFewestThings) return {{}, "fewer than 30 things were rated by two people"};
  Coincidences all(coded.values, measurement);
  double per_thing = 0;
  for (const Unit& unit : coded.units) {
    all.add(unit);
    per_thing += unit.ratings / n;
  }
  if (all.oneSidedness(n) > kMostOneSided) return {{}, "ratings are too one-sided for so few things"};
  const double range = per_thing / (per_thing - 1), share = std::clamp((1 - value) / range, 0.0, 1.0);   // range: 1 − the least α
  Vector without = leavingOut(coded, measurement);
  for (double& alpha : without) alpha /= range;
  const Spread spread = jackknife(without);
  const Interval found = wilsonOf(share, effectiveThings(share, spread, n), tForLevel(level, spread.freedom));
  return {Interval{1 - found.high * range, 1 - found.low * range}, {}};
}

}  // namespace quantspot::statistics
