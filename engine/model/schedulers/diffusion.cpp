#include "engine/model/schedulers/diffusion.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace quantspot::model {
namespace {

const auto kFloat32 = at::TensorOptions().dtype(at::kFloat);

// The betas whose alphas multiply to bar(t), t from 0 to 1.
template <class Bar>
at::Tensor betasFor(int count, const Bar& bar) {
  std::vector<double> betas(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) betas[i] = std::min(1 - bar(static_cast<double>(i + 1) / count) / bar(static_cast<double>(i) / count), 0.999);
  return asTensor(betas);
}

// Glide's.
double cosineBar(double t) { return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2); }

at::Tensor betasOf(const Config& config, const BetaDefaults& defaults) {
  if (config.has("trained_betas")) return asTensor(config.need<std::vector<double>>("trained_betas"));
  const auto count = static_cast<int>(config.positive("num_train_timesteps", 1000));
  const double start = config.get("beta_start", defaults.start), end = config.get("beta_end", defaults.end);
  const auto schedule = config.get<std::string>("beta_schedule", defaults.schedule);
  if (schedule == "linear") return at::linspace(start, end, count, kFloat32);
  if (schedule == "scaled_linear") return at::linspace(std::sqrt(start), std::sqrt(end), count, kFloat32).pow(2);
  if (schedule == "squaredcos_cap_v2") return betasFor(count, cosineBar);
  if (schedule == "exp" && defaults.knowsExp) return betasFor(count, [](double t) { return std::exp(-12 * t); });
  config.fail("beta_schedule", "is not supported; linear, scaled_linear and squaredcos_cap_v2 are");
}

// So that the last training step is noise alone; source: arXiv 2305.08891, algorithm 1.
at::Tensor rescaled(const at::Tensor& betas) {
  at::Tensor roots = (1.0 - betas).cumprod(0).sqrt();
  const at::Tensor first = roots[0].clone(), last = roots[-1].clone();
  roots = (roots - last) * (first / (first - last));
  const at::Tensor bars = roots.pow(2);
  return 1 - at::cat({bars.slice(0, 0, 1), bars.slice(0, 1) / bars.slice(0, 0, -1)});
}

}  // namespace

NoiseSchedule::NoiseSchedule(const Config& config, bool floorsLast, const BetaDefaults& defaults, bool knowsRescale) {
  at::Tensor betas = betasOf(config, defaults);
  if (betas.numel() < 2) config.fail(config.has("trained_betas") ? "trained_betas" : "num_train_timesteps", "is too short for a schedule");
  if (betas.size(0) != config.positive("num_train_timesteps", 1000)) config.fail("trained_betas", "must be as many as num_train_timesteps");
  const bool rescale = knowsRescale && config.get("rescale_betas_zero_snr", false);
  if (rescale) betas = rescaled(betas);
  products_ = (1.0 - betas).cumprod(0);
  if (rescale && floorsLast) products_[-1].fill_(std::ldexp(1.0, -24));
}

at::Tensor NoiseSchedule::product(std::int64_t timestep) const {
  if (timestep < 0 || timestep >= trainSteps())
    throw ModelError(fmt::format("timestep {} is not of the scheduler's {} training steps; use another number of steps or steps_offset", timestep,
        trainSteps()));
  return products_[timestep];
}

std::vector<float> NoiseSchedule::sigmas() const {
  const at::Tensor sigmas = ((1 - products_) / products_).pow(0.5);
  return {sigmas.const_data_ptr<float>(), sigmas.const_data_ptr<float>() + sigmas.numel()};
}

at::Tensor NoiseSchedule::sigma(std::int64_t timestep) const {
  const at::Tensor bar = product(timestep);
  return ((1 - bar) / bar).pow(0.5);
}

at::Tensor NoiseSchedule::noised(const at::Tensor& original, const at::Tensor& noise, std::int64_t timestep) const {
  const at::Tensor bar = product(timestep).to(original.scalar_type());
  return bar.pow(0.5) * original + (1 - bar).pow(0.5) * noise;
}

Prediction predictionOf(const Config& config, std::initializer_list<Prediction> known) {
  const std::pair<const char*, Prediction> names[] = {{"epsilon", Prediction::Epsilon}, {"sample", Prediction::Sample},
      {"original_sample", Prediction::Sample},
                                                      {"v_prediction", Prediction::Velocity}, {"flow_prediction", Prediction::Flow}};
  const auto type = config.get<std::string>("prediction_type", "epsilon");
  for (const auto& [name, prediction] : names)
    if (type == name && std::ranges::find(known, prediction) != known.end()) return prediction;
  config.fail("prediction_type", "is not supported by this scheduler");
}

at::Tensor predictedOriginal(Prediction prediction, const at::Tensor& output, const at::Tensor& sample, const at::Tensor& product) {
  const at::Tensor rest = 1 - product;
  switch (prediction) {
    case Prediction::Epsilon: return (sample - rest.pow(0.5) * output) / product.pow(0.5);
    case Prediction::Velocity: return product.pow(0.5) * sample - rest.pow(0.5) * output;
    default: return output;
  }
}

Clipping::Clipping(const Config& config, Default clip)
    : thresholds_(config.get("thresholding", false)), ratio_(config.get("dynamic_thresholding_ratio", 0.995)),
      most_(config.get("sample_max_value", 1.0)),
      range_(config.get("clip_sample_range", 1.0)) {
  if (clip != Default::None) clips_ = config.get("clip_sample", clip == Default::On);
  if (ratio_ < 0 || ratio_ > 1) config.fail("dynamic_thresholding_ratio", "must lie between 0 and 1");
}

at::Tensor Clipping::operator()(const at::Tensor& original) const {
  if (thresholds_) return thresholded(original);
  return clips_ ? original.clamp(-range_, range_) : original;
}

// Per picture: beyond the quantile of absolute values, but at least 1, values are clipped, and the whole is divided by it. Source: arXiv 2205.11487.
at::Tensor Clipping::thresholded(const at::Tensor& original) const {
  const at::Tensor flat = (original.scalar_type() == at::kDouble ? original : original.to(at::kFloat)).reshape({original.size(0), -1});
  const at::Tensor limit = at::quantile(flat.abs(), ratio_, 1).clamp(1, most_).unsqueeze(1);
  return (at::clamp(flat, -limit, limit) / limit).reshape(original.sizes()).to(original.scalar_type());
}

std::vector<float> logarithms(const std::vector<float>& values) {
  std::vector<float> logs(values.size());
  std::ranges::transform(values, logs.begin(), [](float v) { return static_cast<float>(std::log(static_cast<double>(v))); });
  return logs;
}

at::Tensor asTensor(const std::vector<double>& values) { return at::tensor(values, at::TensorOptions().dtype(at::kDouble)).to(at::kFloat); }

void needSteps(int steps, int most) {
  if (steps < 1) throw ModelError("steps must be at least 1");
  if (steps > most)
    throw ModelError(fmt::format("steps = {} is more than the {} training steps that this scheduler can choose from; use fewer", steps, most));
}

at::Tensor drawn(const NoiseSource& noise, const at::Tensor& like) {
  if (!noise) throw ModelError("this scheduler draws noise, and none was given");
  return noise(like.sizes()).to(like.options());
}

}  // namespace quantspot::model
