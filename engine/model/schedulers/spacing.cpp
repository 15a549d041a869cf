#include "engine/model/schedulers/spacing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace quantspot::model {
namespace {

// I_x(a, a) for x ≤ 1/2 by Lentz's continued fraction; source: Numerical Recipes, 6.4.
double incompleteBeta(double a, double x) {
  if (x <= 0) return 0;
  const double front = std::exp(std::lgamma(2 * a) - 2 * std::lgamma(a) + a * std::log(x) + a * std::log1p(-x)) / a;
  double c = 1, d = 1 / (1 - 2 * a * x / (a + 1)), value = d;
  for (int m = 1; m < 300; ++m) {
    const double even = m * (a - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= c * d;
    const double odd = -(a + m) * (2 * a + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= c * d;
    if (std::abs(c * d - 1) < 1e-16) break;
  }
  return front * value;
}

// The p-quantile of the symmetric beta distribution, by bisection on its lower half.
double betaQuantile(double p, double a) {
  if (p > 0.5) return 1 - betaQuantile(1 - p, a);
  double low = 0, high = 0.5;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high) break;
    (incompleteBeta(a, middle) < p ? low : high) = middle;
  }
  return p <= 0 ? 0 : high;
}

std::vector<double> karras(double high, double low, int steps) {
  constexpr double rho = 7;
  const double from = std::pow(high, 1 / rho), to = std::pow(low, 1 / rho);
  std::vector<double> sigmas = linspace(0, 1, steps);
  for (double& s : sigmas) s = std::pow(from + s * (to - from), rho);
  return sigmas;
}

std::vector<double> exponential(const std::vector<double>& logarithms) {
  std::vector<double> sigmas = logarithms;
  for (double& s : sigmas) s = std::exp(s);
  return sigmas;
}

std::vector<double> betaSpaced(double high, double low, int steps) {
  std::vector<double> sigmas = linspace(0, 1, steps);
  for (double& s : sigmas) s = low + betaQuantile(1 - s, 0.6) * (high - low);
  return sigmas;
}

// Lu's: even steps of the logarithm, by the formula of Karras with an exponent of 1.
std::vector<double> evenLogarithms(double high, double low, int steps) {
  std::vector<double> logs = linspace(0, 1, steps);
  for (double& s : logs) s = high + s * (low - high);
  return logs;
}

}  // namespace

std::vector<double> linspace(double first, double last, int count) {
  std::vector<double> values(static_cast<std::size_t>(count), first);
  for (int i = 1; i < count; ++i) values[i] = first + i * ((last - first) / (count - 1));
  if (count > 1) values.back() = last;
  return values;
}

std::vector<double> arange(double first, double last, double step) {
  const double apart = (first + step) - first;  // numpy takes the distance of the first two
  std::vector<double> values(static_cast<std::size_t>(std::max(0.0, std::ceil((last - first) / step))));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<double>(i) * apart;
  return values;
}

double interpolated(const std::vector<float>& values, double at) {
  if (!(at > 0)) return values.front();   // NaN, too
  const auto low = static_cast<std::size_t>(at);
  if (low + 1 >= values.size()) return values.back();
  const double slope = static_cast<double>(values[low + 1]) - static_cast<double>(values[low]);
  return slope * (at - static_cast<double>(low)) + static_cast<double>(values[low]);
}

TimestepSpacing::TimestepSpacing(const Config& config, const char* fallback) : offset_(config.get<std::int64_t>("steps_offset", 0)) {
  const auto kind = config.get<std::string>("timestep_spacing", fallback);
  if (kind != "leading" && kind != "trailing" && kind != "linspace") config.fail("timestep_spacing", "must be leading, trailing or linspace");
  kind_ = kind == "leading" ? Kind::Leading : kind == "trailing" ? Kind::Trailing : Kind::Linspace;
  if (std::abs(offset_) > config.positive("num_train_timesteps", 1000)) config.fail("steps_offset", "is beyond num_train_timesteps");
}

std::vector<double> TimestepSpacing::descending(int steps, int trainSteps, Round round) const {
  if (kind_ == Kind::Trailing) return withoutLowest(steps, trainSteps, trainSteps);
  std::vector<double> values = kind_ == Kind::Leading ? std::vector<double>(static_cast<std::size_t>(steps)) : linspace(0, trainSteps - 1, steps);
  for (int i = 0; i < steps; ++i) {
    if (kind_ == Kind::Leading) values[i] = static_cast<double>(std::int64_t{i} * (trainSteps / steps) + offset_);
    else if (round == Round::Yes) values[i] = std::nearbyint(values[i]);
  }
  std::ranges::reverse(values);
  return values;
}

std::vector<double> TimestepSpacing::withoutLowest(int steps, int trainSteps, int last) const {
  std::vector<double> values;
  if (kind_ == Kind::Trailing) {
    values = arange(last, 0, -(static_cast<double>(trainSteps) / steps));
    for (double& v : values) v = std::nearbyint(v) - 1;
    return values;
  }
  values = kind_ == Kind::Leading ? std::vector<double>(static_cast<std::size_t>(steps) + 1) : linspace(0, last - 1, steps + 1);
  for (int i = 0; i <= steps; ++i)
    values[i] = kind_ == Kind::Leading ? static_cast<double>(std::int64_t{i} * (last / (steps + 1)) + offset_) : std::nearbyint(values[i]);
  std::ranges::reverse(values);
  values.pop_back();
  return values;
}

SigmaSpacing::SigmaSpacing(const Config& config, bool knowsLu) {
  const std::pair<const char*, Kind> kinds[] = {{"use_karras_sigmas", Kind::Karras}, {"use_exponential_sigmas", Kind::Exponential},
      {"use_beta_sigmas", Kind::Beta}};
  for (const auto& [key, kind] : kinds) {
    if (!config.get(key, false)) continue;
    if (kind_ != Kind::Plain) config.fail(key, "and another spacing of sigmas exclude each other");
    kind_ = kind;
  }
  if (knowsLu && kind_ != Kind::Karras && config.get("use_lu_lambdas", false)) kind_ = Kind::Lu;
  if (config.has("sigma_min")) lowest_ = config.need<double>("sigma_min");
  if (config.has("sigma_max")) highest_ = config.need<double>("sigma_max");
}

std::vector<double> SigmaSpacing::between(double high, double low, int steps) const {
  if (kind_ == Kind::Lu) return exponential(evenLogarithms(static_cast<float>(std::log(high)), static_cast<float>(std::log(low)), steps));
  high = highest_.value_or(high);
  low = lowest_.value_or(low);
  if (kind_ == Kind::Karras) return karras(high, low, steps);
  return kind_ == Kind::Beta ? betaSpaced(high, low, steps) : exponential(linspace(std::log(high), std::log(low), steps));
}

double timestepOf(double sigma, const std::vector<float>& logSigmas) {
  const double logarithm = std::log(std::max(sigma, 1e-10));
  const auto above = std::ranges::find_if(logSigmas, [&](float s) { return logarithm - static_cast<double>(s) < 0; });
  const auto below = std::max<std::ptrdiff_t>(above - logSigmas.begin() - 1, 0);
  const auto low = std::min(static_cast<std::size_t>(below), logSigmas.size() - 2);
  const double weight = std::clamp((static_cast<double>(logSigmas[low]) - logarithm) / static_cast<double>(logSigmas[low] - logSigmas[low + 1]),
                                   0.0, 1.0);
  return (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
}

bool endsAtLowestSigma(const Config& config) {
  const auto type = config.get<std::string>("final_sigmas_type", "zero");
  if (type != "zero" && type != "sigma_min") config.fail("final_sigmas_type", "must be zero or sigma_min");
  return type == "sigma_min";
}

double dynamicShift(const Config& config, std::int64_t imageTokens) {
  const double baseShift = config.get("base_shift", 0.5), maxShift = config.get("max_shift", 1.15);
  const auto baseLength = config.positive("base_image_seq_len", 256), maxLength = config.positive("max_image_seq_len", 4096);
  if (baseLength == maxLength) config.fail("max_image_seq_len", "must differ from base_image_seq_len");
  const double slope = (maxShift - baseShift) / static_cast<double>(maxLength - baseLength);
  return static_cast<double>(imageTokens) * slope + (baseShift - slope * static_cast<double>(baseLength));
}

}  // namespace quantspot::model
