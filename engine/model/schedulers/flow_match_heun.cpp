#include "engine/model/schedulers/flow_match_heun.h"

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

#include <ATen/ATen.h>

namespace quantspot::model {

FlowMatchHeun::FlowMatchHeun(const Config& config)
    : trainTimesteps_(static_cast<int>(config.positive("num_train_timesteps", 1000))), shift_(config.get("shift", 1.0)) {}

void FlowMatchHeun::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, std::numeric_limits<int>::max());
  const auto edge = [&](float timestep) {
    const float sigma = timestep / static_cast<float>(trainTimesteps_);
    return static_cast<double>(static_cast<float>(shift_) * sigma / (1.0F + static_cast<float>(shift_ - 1) * sigma)) * trainTimesteps_;
  };
  std::vector<double> twice;
  for (double sigma : linspace(edge(static_cast<float>(trainTimesteps_)), edge(1), steps)) {
    sigma /= trainTimesteps_;
    twice.insert(twice.end(), twice.empty() ? 1 : 2, shift_ * sigma / (1 + (shift_ - 1) * sigma));
  }
  timesteps_.clear();
  for (const double sigma : twice) timesteps_.push_back(static_cast<float>(sigma) * static_cast<float>(trainTimesteps_));
  twice.push_back(0);
  sigmas_ = asTensor(twice);
  slope_ = start_ = change_ = at::Tensor();
}

at::Tensor FlowMatchHeun::step(const at::Tensor& velocity, std::size_t call, const at::Tensor& sample, const NoiseSource& /*noise*/) {
  const auto i = static_cast<std::int64_t>(call);
  const at::Tensor wide = sample.to(at::kFloat);
  const bool first = !slope_.defined();
  const at::Tensor sigma = sigmas_[i];    // of the second half: where the first one ended
  const at::Tensor slope = (wide - (wide - velocity * sigma)) / sigma;
  at::Tensor next;
  if (first) {
    slope_ = slope;
    start_ = wide;
    change_ = sigmas_[i + 1] - sigma;
    next = wide + slope * change_;
  } else {
    next = start_ + 0.5 * (slope_ + slope) * change_;
    slope_ = start_ = change_ = at::Tensor();
  }
  return next.to(velocity.scalar_type());
}

at::Tensor FlowMatchHeun::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  const at::Tensor sigma = sigmas_[static_cast<std::int64_t>(call)];
  return sigma * noise + (1.0 - sigma) * original;
}

}  // namespace quantspot::model
