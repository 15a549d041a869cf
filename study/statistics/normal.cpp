#include "study/statistics/normal.h"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

double upper(double level) {
  if (!(level > 0 && level < 1)) throw std::invalid_argument("level=" + std::to_string(level) + ": must lie between 0 and 1, such as 0.95");
  return (1 + level) / 2;
}

}  // namespace

double normalDensity(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); }

double normalCdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

double normalQuantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

double zForLevel(double level) { return normalQuantile(upper(level)); }

double tForLevel(double level, double freedom) { return boost::math::quantile(boost::math::students_t(freedom), upper(level)); }

}  // namespace quantspot::statistics
