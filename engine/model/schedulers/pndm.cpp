#include "engine/model/schedulers/pndm.h"

#include <ATen/ATen.h>

namespace quantspot::model {

Pndm::Pndm(const Config& config)
    : schedule_(config, false, {}, false), spacing_(config, "leading"),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Velocity})),
      skipsRungeKutta_(config.get("skip_prk_steps", false)),
      lastProduct_(config.get("set_alpha_to_one", false) ? at::ones({}) : schedule_.product(0)) {}

void Pndm::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, schedule_.trainSteps());
  if (!skipsRungeKutta_ && steps < 4)
    throw ModelError("steps must be at least 4 for a PNDM scheduler with Runge-Kutta steps (skip_prk_steps is false)");
  const std::vector<double> plain = spacing_.descending(steps, schedule_.trainSteps());
  stride_ = schedule_.trainSteps() / steps;
  timesteps_ = plain;
  rungeKuttaCalls_ = skipsRungeKutta_ ? 0 : 12;
  if (skipsRungeKutta_) {
    if (steps > 1) timesteps_.insert(timesteps_.begin() + 1, plain[1]);
  } else {
    // The four highest are taken by four calls each: at the step, twice half-way to the next, and at the next.
    std::vector<double> calls;
    for (std::size_t i = 0; i < 3; ++i) {
      const double half = plain[i + 1] + stride_ / 2;
      calls.insert(calls.end(), {plain[i], half, half, plain[i + 1]});
    }
    calls.insert(calls.end(), plain.begin() + 3, plain.end());
    timesteps_ = calls;
  }
  counter_ = 0;
  sum_ = held_ = at::Tensor();
  outputs_.clear();
}

at::Tensor Pndm::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& /*noise*/) {
  const auto t = static_cast<std::int64_t>(timesteps_.at(call));
  at::Tensor next = counter_ < rungeKuttaCalls_ ? rungeKutta(output, t, sample) : multistep(output, t, sample);
  ++counter_;
  return next;
}

at::Tensor Pndm::rungeKutta(at::Tensor output, std::int64_t timestep, const at::Tensor& sample) {
  const std::int64_t to = timestep - (counter_ % 2 == 1 ? 0 : stride_ / 2);
  const auto from = static_cast<std::int64_t>(timesteps_[counter_ / 4 * 4]);
  switch (counter_ % 4) {
    case 0:
      sum_ = 1.0 / 6 * output;
      outputs_.push_back(output);
      held_ = sample;
      break;
    case 3:
      output = sum_ + 1.0 / 6 * output;
      break;
    default:
      sum_ = sum_ + 1.0 / 3 * output;
  }
  return moved(held_, from, to, output);
}

// Adams-Bashforth of as many outputs as there are, up to four; the first step is taken twice.
at::Tensor Pndm::multistep(at::Tensor output, std::int64_t timestep, at::Tensor sample) {
  std::int64_t to = timestep - stride_;
  if (counter_ == 1) {
    to = timestep;
    timestep += stride_;
    output = (output + outputs_.back()) / 2;
    sample = held_;
  } else {
    if (outputs_.size() > 3) outputs_.erase(outputs_.begin(), outputs_.end() - 3);
    outputs_.push_back(output);
    if (counter_ == 0) held_ = sample;
    const auto e = [&](std::size_t ago) { return outputs_[outputs_.size() - 1 - ago]; };
    if (outputs_.size() == 2) output = (3 * e(0) - e(1)) / 2;
    if (outputs_.size() == 3) output = (23 * e(0) - 16 * e(1) + 5 * e(2)) / 12;
    if (outputs_.size() == 4) output = 1.0 / 24 * (55 * e(0) - 59 * e(1) + 37 * e(2) - 9 * e(3));
  }
  return moved(sample, timestep, to, output);
}

// Formula (9) of arXiv 2202.09778.
at::Tensor Pndm::moved(const at::Tensor& sample, std::int64_t from, std::int64_t to, const at::Tensor& output) const {
  const at::Tensor product = schedule_.product(from), next = to >= 0 ? schedule_.product(to) : lastProduct_;
  const at::Tensor rest = 1 - product, nextRest = 1 - next;
  const at::Tensor epsilon = prediction_ == Prediction::Velocity ? product.pow(0.5) * output + rest.pow(0.5) * sample : output;
  const at::Tensor divisor = product * nextRest.pow(0.5) + (product * rest * next).pow(0.5);
  return (next / product).pow(0.5) * sample - (next - product) * epsilon / divisor;
}

at::Tensor Pndm::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return schedule_.noised(original, noise, static_cast<std::int64_t>(timesteps_.at(call)));
}

}  // namespace quantspot::model
