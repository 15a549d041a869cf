#include "engine/model/schedulers/flow_match_euler.h"

#include "engine/model/schedulers/diffusion.h"

#include <ATen/ATen.h>

#include <cmath>

namespace quantspot::model {

FlowMatchEuler::FlowMatchEuler(const Config& c)
    : trainTimesteps_(static_cast<int>(c.positive("num_train_timesteps", 1000))), shift_(c.get("shift", 1.0)),
      terminal_(c.get("shift_terminal", 0.0)),
      dynamic_(c.get("use_dynamic_shifting", false)), invert_(c.get("invert_sigmas", false)), stochastic_(c.get("stochastic_sampling", false)),
      spacing_(c),
      config_(c) {
  const auto type = c.get<std::string>("time_shift_type", "exponential");
  if (type != "exponential" && type != "linear") c.fail("time_shift_type", "must be exponential or linear");
  exponential_ = type == "exponential";
  dynamicShift(c, 0);  // complains of bad lengths now
}

// The same operations in the same types as numpy: scalars are double until they meet the array, which is float32 when FLUX's pipeline brings it.
void FlowMatchEuler::setTimesteps(int steps, const ImageTokens& tokens) {
  needSteps(steps, std::numeric_limits<int>::max());
  if (dynamic_ && tokens.count == 0) config_.fail("use_dynamic_shifting", "needs a model whose number of image tokens is known");
  const double mu = dynamicShift(config_, tokens.count);
  std::vector<double> wide;
  if (tokens.bringsSigmas && !config_.get("use_flow_sigmas", false)) {
    const auto start = linspace(1.0, 1.0 / steps, steps);
    std::vector<float> given(start.begin(), start.end());
    shift(given, mu);
    wide.assign(given.begin(), given.end());
  } else {
    wide = ownSigmas(steps);
    shift(wide, mu);
  }
  if (spacing_.kind() != SigmaSpacing::Kind::Plain) wide = spacing_.between(wide.front(), wide.back(), steps);
  sigmas_.assign(wide.begin(), wide.end());
  timesteps_.clear();
  for (float& sigma : sigmas_) {
    if (invert_) sigma = 1.0F - sigma;
    timesteps_.push_back(sigma * static_cast<float>(trainTimesteps_));
  }
  sigmas_.push_back(invert_ ? 1.0F : 0.0F);
}

// From the highest to the lowest training sigma, which are shifted once already.
std::vector<double> FlowMatchEuler::ownSigmas(int steps) const {
  const auto edge = [&](float timestep) {
    const auto train = static_cast<float>(trainTimesteps_), factor = static_cast<float>(shift_);
    const float sigma = timestep / train;
    return static_cast<double>(dynamic_ ? sigma : factor * sigma / (1.0F + static_cast<float>(shift_ - 1) * sigma)) * trainTimesteps_;
  };
  std::vector<double> sigmas = linspace(edge(static_cast<float>(trainTimesteps_)), edge(1), steps);
  for (double& sigma : sigmas) sigma /= trainTimesteps_;
  return sigmas;
}

// The shift, static or dynamic; then the last sigma goes to shift_terminal and the others with it.
template <class Real>
void FlowMatchEuler::shift(std::vector<Real>& sigmas, double mu) const {
  const auto one = Real(1), by = static_cast<Real>(shift_), less = static_cast<Real>(shift_ - 1);
  const auto factor = static_cast<Real>(exponential_ ? std::exp(mu) : mu);
  for (Real& sigma : sigmas) sigma = dynamic_ ? factor / (factor + (one / sigma - one)) : by * sigma / (one + less * sigma);
  if (terminal_ == 0) return;
  const Real stretch = (one - sigmas.back()) / static_cast<Real>(1 - terminal_);
  if (stretch == 0) config_.fail("shift_terminal", "needs at least 2 steps");
  for (Real& sigma : sigmas) sigma = one - (one - sigma) / stretch;
}

at::Tensor FlowMatchEuler::sigmas() const { return at::tensor(sigmas_); }

// In float32, then back to the type of the velocity.
at::Tensor FlowMatchEuler::step(const at::Tensor& velocity, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) {
  const auto scalar = [](float value) { return at::scalar_tensor(value, at::TensorOptions().dtype(at::kFloat)); };
  const float now = sigmas_.at(call), next = sigmas_.at(call + 1);
  const at::Tensor wide = sample.to(at::kFloat);
  if (!stochastic_) return (wide + scalar(next - now) * velocity).to(velocity.scalar_type());
  const at::Tensor original = wide - scalar(now) * velocity;
  return ((1.0 - scalar(next)) * original + scalar(next) * drawn(noise, wide)).to(velocity.scalar_type());
}

at::Tensor FlowMatchEuler::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  const at::Tensor sigma = at::scalar_tensor(sigmas_.at(call), original.options().device(at::kCPU));
  return sigma * noise + (1.0 - sigma) * original;
}

}  // namespace quantspot::model
