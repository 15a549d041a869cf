#include "engine/model/schedulers/ddim.h"

#include <ATen/ATen.h>

namespace quantspot::model {

Ddim::Ddim(const Config& config)
    : schedule_(config, false), spacing_(config, "leading"),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity})),
      clipping_(config, Clipping::Default::On), lastProduct_(config.get("set_alpha_to_one", true) ? at::ones({}) : schedule_.product(0)) {}

void Ddim::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, schedule_.trainSteps());
  timesteps_ = spacing_.descending(steps, schedule_.trainSteps());
  stride_ = schedule_.trainSteps() / steps;
}

at::Tensor Ddim::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& /*noise*/) {
  const auto t = static_cast<std::int64_t>(timesteps_.at(call)), previous = t - stride_;
  const at::Tensor product = schedule_.product(t), rest = 1 - product;
  const at::Tensor next = previous >= 0 ? schedule_.product(previous) : lastProduct_;
  at::Tensor original = predictedOriginal(prediction_, output, sample, product), epsilon = output;
  if (prediction_ == Prediction::Sample) epsilon = (sample - product.pow(0.5) * original) / rest.pow(0.5);
  if (prediction_ == Prediction::Velocity) epsilon = product.pow(0.5) * output + rest.pow(0.5) * sample;
  original = clipping_(original);
  return next.pow(0.5) * original + (1 - next).pow(0.5) * epsilon;
}

at::Tensor Ddim::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return schedule_.noised(original, noise, static_cast<std::int64_t>(timesteps_.at(call)));
}

}  // namespace quantspot::model
