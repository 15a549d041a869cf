#include "engine/model/schedulers/euler_ancestral.h"

#include "engine/model/schedulers/sigma_space.h"

#include <ATen/ATen.h>

namespace quantspot::model {

EulerAncestral::EulerAncestral(const Config& config)
    : schedule_(config, true), spacing_(config, "linspace"), prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Velocity})),
      leading_(config.get<std::string>("timestep_spacing", "linspace") == "leading") {}

void EulerAncestral::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, std::numeric_limits<int>::max());
  timesteps_ = spacing_.descending(steps, schedule_.trainSteps(), TimestepSpacing::Round::No);
  const std::vector<float> trained = schedule_.sigmas();
  std::vector<double> sigmas;
  for (double& t : timesteps_) {
    t = static_cast<float>(t);
    sigmas.push_back(interpolated(trained, t));
  }
  sigmas.push_back(0);
  sigmas_ = asTensor(sigmas);
}

double EulerAncestral::initNoiseSigma() const { return startingSigma(sigmas_, leading_); }

at::Tensor EulerAncestral::scaleModelInput(const at::Tensor& sample, std::size_t call) const {
  return scaledBySigma(sample, sigmas_[static_cast<std::int64_t>(call)]);
}

at::Tensor EulerAncestral::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) {
  const auto i = static_cast<std::int64_t>(call);
  const at::Tensor wide = sample.to(at::kFloat), from = sigmas_[i], to = sigmas_[i + 1];
  const at::Tensor up = (to.pow(2) * (from.pow(2) - to.pow(2)) / from.pow(2)).pow(0.5), down = (to.pow(2) - up.pow(2)).pow(0.5);
  const at::Tensor slope = (wide - originalAtSigma(prediction_, output, wide, from)) / from;
  const at::Tensor next = wide + slope * (down - from);
  return (next + drawn(noise, output) * up).to(output.scalar_type());
}

at::Tensor EulerAncestral::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return original + noise * sigmas_[static_cast<std::int64_t>(call)].to(original.scalar_type());
}

}  // namespace quantspot::model
