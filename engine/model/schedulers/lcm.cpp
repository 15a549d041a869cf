#include "engine/model/schedulers/lcm.h"

#include <ATen/ATen.h>

namespace quantspot::model {

Lcm::Lcm(const Config& config)
    : schedule_(config, false, {.start = 0.00085, .end = 0.012, .schedule = "scaled_linear"}),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity})), clipping_(config, Clipping::Default::Off),
      originalSteps_(static_cast<int>(config.positive("original_inference_steps", 50))), timestepScaling_(config.get("timestep_scaling", 10.0)) {
  if (originalSteps_ > schedule_.trainSteps()) config.fail("original_inference_steps", "must not be above num_train_timesteps");
}

void Lcm::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, originalSteps_);
  const int stride = schedule_.trainSteps() / originalSteps_;
  const double apart = static_cast<double>(originalSteps_) / steps;
  timesteps_.resize(static_cast<std::size_t>(steps));
  for (int i = 0; i < steps; ++i) timesteps_[i] = (originalSteps_ - static_cast<int>(i * apart)) * stride - 1;
}

at::Tensor Lcm::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) {
  constexpr double spread = 0.25;  // the variance of data that the boundary condition takes
  const auto t = static_cast<std::int64_t>(timesteps_.at(call));
  const bool last = call + 1 == timesteps_.size();
  const at::Tensor next = schedule_.product(static_cast<std::int64_t>(timesteps_[last ? call : call + 1]));
  const at::Tensor scaled = at::scalar_tensor(t, at::TensorOptions().dtype(at::kLong)) * timestepScaling_, square = scaled.pow(2) + spread;
  const at::Tensor original = clipping_(predictedOriginal(prediction_, output, sample, schedule_.product(t)));
  const at::Tensor denoised = scaled / square.pow(0.5) * original + square.reciprocal() * spread * sample;
  return last ? denoised : next.sqrt() * denoised + (1 - next).sqrt() * drawn(noise, denoised);
}

at::Tensor Lcm::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return schedule_.noised(original, noise, static_cast<std::int64_t>(timesteps_.at(call)));
}

}  // namespace quantspot::model
