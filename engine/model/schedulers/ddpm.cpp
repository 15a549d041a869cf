#include "engine/model/schedulers/ddpm.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::model {

Ddpm::Ddpm(const Config& config)
    : schedule_(config, false), spacing_(config, "leading"),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity})),
      clipping_(config, Clipping::Default::On) {
  const char* const names[] = {"fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range"};
  const auto name = config.get<std::string>("variance_type", names[0]);
  const auto* const found = std::ranges::find(names, name);
  if (found == std::end(names)) config.fail("variance_type", "is not known");
  variance_ = static_cast<Variance>(found - std::begin(names));
}

void Ddpm::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, schedule_.trainSteps());
  timesteps_ = spacing_.descending(steps, schedule_.trainSteps());
}

// By the value, so that of equal timesteps the first counts; −1 after the last.
std::int64_t Ddpm::following(std::int64_t timestep) const {
  const auto next = std::ranges::find(timesteps_, static_cast<double>(timestep)) + 1;
  return next == timesteps_.end() ? -1 : static_cast<std::int64_t>(*next);
}

// What noise is multiplied by.
at::Tensor Ddpm::deviation(const at::Tensor& product, const at::Tensor& next, const at::Tensor& predicted) const {
  const at::Tensor beta = 1 - product / next;
  const at::Tensor small = ((1 - next) / (1 - product) * beta).clamp_min(1e-20);
  switch (variance_) {
    case Variance::FixedSmall: return small.pow(0.5);
    case Variance::FixedSmallLog: return (0.5 * small.log()).exp();
    case Variance::FixedLarge: return beta.pow(0.5);
    case Variance::FixedLargeLog: return beta.log().pow(0.5);
    case Variance::Learned: return predicted.pow(0.5);
    case Variance::LearnedRange: break;
  }
  const at::Tensor share = (predicted + 1) / 2;
  return (0.5 * (share * beta.log() + (1 - share) * small.log())).exp();
}

at::Tensor Ddpm::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) {
  const auto t = static_cast<std::int64_t>(timesteps_.at(call)), previous = following(t);
  const bool learned = variance_ == Variance::Learned || variance_ == Variance::LearnedRange;
  const std::int64_t channels = sample.size(1);
  if (learned && output.size(1) != 2 * channels)
    throw ModelError("scheduler/scheduler_config.json: variance_type is learned, and the model predicts none");
  const at::Tensor mean = learned ? output.slice(1, 0, channels) : output, predicted = learned ? output.slice(1, channels) : at::Tensor();

  const at::Tensor product = schedule_.product(t), next = previous >= 0 ? schedule_.product(previous) : at::ones({});
  const at::Tensor rest = 1 - product, alpha = product / next, beta = 1 - alpha;
  const at::Tensor original = clipping_(predictedOriginal(prediction_, mean, sample, product));
  const at::Tensor moved = next.pow(0.5) * beta / rest * original + alpha.pow(0.5) * (1 - next) / rest * sample;
  return t > 0 ? moved + deviation(product, next, predicted) * drawn(noise, mean) : moved;
}

at::Tensor Ddpm::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return schedule_.noised(original, noise, static_cast<std::int64_t>(timesteps_.at(call)));
}

}  // namespace quantspot::model
