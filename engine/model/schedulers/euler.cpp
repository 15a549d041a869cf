#include "engine/model/schedulers/euler.h"

#include "engine/model/schedulers/sigma_space.h"

#include <ATen/ATen.h>

namespace quantspot::model {

Euler::Euler(const Config& config)
    : schedule_(config, true), spacing_(config, "linspace"), sigmaSpacing_(config),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity})),
      leading_(config.get<std::string>("timestep_spacing", "linspace") == "leading"), endsLow_(endsAtLowestSigma(config)),
      trainSigmas_(schedule_.sigmas()),
      logSigmas_(logarithms(trainSigmas_)) {
  const auto interpolation = config.get<std::string>("interpolation_type", "linear"), type = config.get<std::string>("timestep_type", "discrete");
  if (interpolation != "linear" && interpolation != "log_linear") config.fail("interpolation_type", "must be linear or log_linear");
  if (type != "discrete" && type != "continuous") config.fail("timestep_type", "must be discrete or continuous");
  logLinear_ = interpolation == "log_linear";
  continuous_ = type == "continuous" && prediction_ == Prediction::Velocity;
}

// log_linear makes one more than there are timesteps: the reference appends its last sigma to that.
std::vector<double> Euler::plainSigmas(const std::vector<double>& timesteps, int steps) const {
  std::vector<double> sigmas;
  if (logLinear_) {
    const at::Tensor even = at::linspace(logSigmas_.back(), logSigmas_.front(), steps + 1, at::TensorOptions().dtype(at::kFloat)).exp();
    sigmas.assign(even.const_data_ptr<float>(), even.const_data_ptr<float>() + even.numel());
  } else {
    for (const double t : timesteps) sigmas.push_back(interpolated(trainSigmas_, t));
  }
  return sigmas;
}

void Euler::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, std::numeric_limits<int>::max());
  timesteps_ = spacing_.descending(steps, schedule_.trainSteps(), TimestepSpacing::Round::No);
  for (double& t : timesteps_) t = static_cast<float>(t);
  std::vector<double> sigmas = plainSigmas(timesteps_, steps);
  if (sigmaSpacing_.kind() != SigmaSpacing::Kind::Plain) {
    sigmas = sigmaSpacing_.between(sigmas.front(), sigmas.back(), steps);
    timesteps_.clear();
    for (const double sigma : sigmas) timesteps_.push_back(static_cast<float>(timestepOf(sigma, logSigmas_)));
  }
  sigmas.push_back(endsLow_ ? schedule_.sigma(0).item<float>() : 0);
  sigmas_ = asTensor(sigmas);
  if (!continuous_) return;
  const at::Tensor quarters = 0.25 * sigmas_.slice(0, 0, -1).log();
  timesteps_.assign(quarters.const_data_ptr<float>(), quarters.const_data_ptr<float>() + quarters.numel());
}

double Euler::initNoiseSigma() const { return startingSigma(sigmas_, leading_); }

at::Tensor Euler::scaleModelInput(const at::Tensor& sample, std::size_t call) const {
  return scaledBySigma(sample, sigmas_[static_cast<std::int64_t>(call)]);
}

at::Tensor Euler::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& /*noise*/) {
  const auto i = static_cast<std::int64_t>(call);
  const at::Tensor wide = sample.to(at::kFloat), sigma = sigmas_[i];
  const at::Tensor slope = (wide - originalAtSigma(prediction_, output, wide, sigma)) / sigma;
  return (wide + slope * (sigmas_[i + 1] - sigma)).to(output.scalar_type());
}

at::Tensor Euler::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return original + noise * sigmas_[static_cast<std::int64_t>(call)].to(original.scalar_type());
}

}  // namespace quantspot::model
