#include "study/statistics/sensitivity.h"

#include "study/statistics/normal.h"
#include "study/statistics/optimize.h"

#include <boost/math/quadrature/gauss_kronrod.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

constexpr double kMost = 40;   // d′ beyond which every rate is 1 in double precision

template <class Function>
double integrate(Function function, double low, double high) {
  return boost::math::quadrature::gauss_kronrod<double, 61>::integrate(function, low, high, 10, 1e-13);
}

// Two comparisons of which both must point the right way, or both the wrong way.
double agree(double a, double b) { return normalCdf(a) * normalCdf(b) + normalCdf(-a) * normalCdf(-b); }

double mafcRate(double d, int m) {
  return integrate([=](double x) { return normalDensity(x - d) * std::pow(normalCdf(x), m - 1); }, d - 9, d + 9);
}

double oddityRate(double d) {
  const double shift = d * std::sqrt(2.0 / 3);
  return integrate([=](double x) { return 2 * (normalCdf(-x * std::sqrt(3.0) + shift)
      + normalCdf(-x * std::sqrt(3.0) - shift)) * normalDensity(x); }, 0, 9);
}

double differencing(double hit, double false_alarm) {
  const double k = std::sqrt(2.0) * normalQuantile(false_alarm / 2);
  const auto rate = [=](double d) { return normalCdf((k + d) / std::sqrt(2.0)) + normalCdf((k - d) / std::sqrt(2.0)); };
  if (hit <= false_alarm) return 0;
  return findRoot([&](double d) { return rate(d) - hit; }, 0, kMost);
}

double independent(double hit, double false_alarm) {
  const double best = normalCdf((normalQuantile(hit) - normalQuantile(false_alarm)) / 2);
  const double away = 2 * normalQuantile((1 + std::sqrt(std::abs(2 * best - 1))) / 2);
  return best < 0.5 ? -away : away;
}

// Of rates that may be 0 or 1; not below 0.
double limitingDprime(bool differs, double hit, double alarm) {
  if (hit <= alarm) return 0;
  if (alarm <= 0 || hit >= 1) return std::numeric_limits<double>::infinity();
  return differs ? differencing(hit, alarm) : independent(hit, alarm);
}

Interval sameDifferentInterval(bool differs, double hit, const Interval& hits, double alarm, const Interval& alarms) {
  Interval found{std::numeric_limits<double>::infinity(), 0};
  for (int degrees = 0; degrees <= 90; degrees += 3) {
    const double along = std::cos(degrees * std::numbers::pi / 180), across = std::sin(degrees * std::numbers::pi / 180);
    found.low = std::min(found.low, limitingDprime(differs, hit - (hit - hits.low) * along, alarm + (alarms.high - alarm) * across));
    found.high = std::max(found.high, limitingDprime(differs, hit + (hits.high - hit) * along, alarm - (alarm - alarms.low) * across));
  }
  return found;
}

void checkRate(const char* name, double rate) {
  if (!(rate > 0 && rate < 1)) throw std::invalid_argument(std::string(name) + "=" + std::to_string(rate) + ": must lie strictly between 0 and 1");
}

}  // namespace

Task taskFromName(std::string_view name) {
  if (name == "mafc") return Task::Mafc;
  if (name == "abx-differencing") return Task::AbxDifferencing;
  if (name == "abx-independent") return Task::AbxIndependent;
  if (name == "oddity" || name == "triangle") return Task::Oddity;
  throw std::invalid_argument("kind=" + std::string(name) + ": must be mafc, abx-differencing, abx-independent or oddity");
}

double chanceRate(Task task, int m) {
  if (task == Task::Oddity) return 1.0 / 3;
  if (task != Task::Mafc) return 0.5;
  if (m < 2) throw std::invalid_argument("m=" + std::to_string(m) + ": a choice needs 2 or more");
  return 1.0 / m;
}

double rateFromDprime(Task task, double d, int m) {
  const double chance = chanceRate(task, m);
  if (!(d > 0)) return chance;
  switch (task) {
    case Task::Mafc: return m == 2 ? normalCdf(d / std::sqrt(2.0)) : mafcRate(d, m);
    case Task::AbxDifferencing: return agree(d / std::sqrt(2.0), d / std::sqrt(6.0));
    case Task::AbxIndependent: return agree(d / std::sqrt(2.0), d / 2);
    case Task::Oddity: break;
  }
  return oddityRate(d);
}

double dprimeFromRate(Task task, double rate, int m) {
  if (!(rate >= 0 && rate <= 1)) throw std::invalid_argument("rate=" + std::to_string(rate) + ": must be 0 to 1");
  if (rate <= chanceRate(task, m)) return 0;
  if (rate >= std::min(1.0, rateFromDprime(task, kMost, m))) return std::numeric_limits<double>::infinity();
  return findRoot([=](double d) { return rateFromDprime(task, d, m) - rate; }, 0, kMost);
}

Dprime dprime(Task task, int correct, int trials, int m, double level) {
  const Interval rate = clopperPearson(correct, trials, level);
  const double seen = trials == 0 ? 0.0 : static_cast<double>(correct) / trials;
  return {dprimeFromRate(task, seen, m), {dprimeFromRate(task, rate.low, m), dprimeFromRate(task, rate.high, m)}};
}

double sameDifferentDprime(bool differs, double hit, double false_alarm) {
  checkRate("hit", hit);
  checkRate("false_alarm", false_alarm);
  return differs ? differencing(hit, false_alarm) : independent(hit, false_alarm);
}

SameDifferent sameDifferent(bool differs, int hits, int different, int false_alarms, int same, double level) {
  if (hits < 0 || hits > different || false_alarms < 0 || false_alarms > same || different < 1 || same < 1)
    throw std::invalid_argument("hits=" + std::to_string(hits) + " of " + std::to_string(different) + ", false_alarms="
        + std::to_string(false_alarms) +
                                " of " + std::to_string(same) + ": each must be 0 to its number of trials, which must not be 0");
  const bool extreme = hits == 0 || hits == different || false_alarms == 0 || false_alarms == same;
  const double more = extreme ? 0.5 : 0;
  const double n1 = different + 2 * more, n0 = same + 2 * more, hit = (hits + more) / n1, alarm = (false_alarms + more) / n0;
  const auto at = [&](double h, double f) { return sameDifferentDprime(differs, h, f); };
  const double step = 1e-5 * std::min({hit, 1 - hit, alarm, 1 - alarm});
  const double by_hit = (at(hit + step, alarm) - at(hit - step, alarm)) / (2 * step);
  const double by_alarm = (at(hit, alarm + step) - at(hit, alarm - step)) / (2 * step);
  SameDifferent result{.dprime = at(hit, alarm), .standard_error = 0, .criterion = 0, .interval = {}};
  result.standard_error = std::sqrt(by_hit * by_hit * hit * (1 - hit) / n1 + by_alarm * by_alarm * alarm * (1 - alarm) / n0);
  result.criterion = differs ? -std::sqrt(2.0) * normalQuantile(alarm / 2) : -(normalQuantile(hit) + normalQuantile(alarm)) / 2;
  result.interval = sameDifferentInterval(differs, static_cast<double>(hits) / different, clopperPearson(hits, different, level),
                                          static_cast<double>(false_alarms) / same, clopperPearson(false_alarms, same, level));
  return result;
}

}  // namespace quantspot::statistics
