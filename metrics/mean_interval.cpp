#include "metrics/mean_interval.h"

#include <cmath>
#include <numeric>

namespace quantspot::metrics {
namespace {

// 97.5 % quantile of Student's t (Abramowitz and Stegun 26.7.5).
double studentQuantile(double freedom) {
  if (freedom == 1) return 12.706204736;
  if (freedom == 2) return 4.302652730;
  const double z = 1.959963985, z2 = z * z;
  const double g1 = z * (z2 + 1) / 4, g2 = z * ((5 * z2 + 16) * z2 + 3) / 96, g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return z + (g1 + (g2 + (g3 + g4 / freedom) / freedom) / freedom) / freedom;
}

}  // namespace

MeanInterval meanInterval(const std::vector<double>& values) {
  MeanInterval out;
  if (values.empty()) return out;
  const double n = static_cast<double>(values.size());
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  out.low = out.high = out.mean;
  if (values.size() < 2 || !std::isfinite(out.mean)) return out;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  const double half = studentQuantile(n - 1) * std::sqrt(squares / (n - 1) / n);
  return {out.mean, out.mean - half, out.mean + half, true};
}

}  // namespace quantspot::metrics
