#include "engine/model/schedulers/heun.h"

#include "engine/model/schedulers/sigma_space.h"

#include <ATen/ATen.h>

namespace quantspot::model {

Heun::Heun(const Config& config)
    : schedule_(config, false, {.start = 0.00085, .end = 0.012, .knowsExp = true}, false), spacing_(config, "linspace"), sigmaSpacing_(config),
      prediction_(predictionOf(config, {Prediction::Epsilon, Prediction::Sample, Prediction::Velocity})),
      leading_(config.get<std::string>("timestep_spacing", "linspace") == "leading"), clips_(config.get("clip_sample", false)),
      range_(config.get("clip_sample_range", 1.0)) {}

void Heun::setTimesteps(int steps, const ImageTokens& /*tokens*/) {
  needSteps(steps, std::numeric_limits<int>::max());
  const std::vector<float> trained = schedule_.sigmas();
  std::vector<double> times = spacing_.descending(steps, schedule_.trainSteps(), TimestepSpacing::Round::No), levels;
  for (const double t : times) levels.push_back(interpolated(trained, static_cast<float>(t)));
  if (sigmaSpacing_.kind() != SigmaSpacing::Kind::Plain) {
    const std::vector<float> logarithmsOfTrained = logarithms(trained);
    levels = sigmaSpacing_.between(levels.front(), levels.back(), steps);
    times.clear();
    for (const double level : levels) times.push_back(timestepOf(level, logarithmsOfTrained));
  }
  timesteps_.clear();
  std::vector<double> twice;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::size_t calls = i == 0 ? 1 : 2;
    twice.insert(twice.end(), calls, levels[i]);
    timesteps_.insert(timesteps_.end(), calls, static_cast<float>(times[i]));
  }
  twice.push_back(0);
  sigmas_ = asTensor(twice);
  slope_ = start_ = change_ = at::Tensor();
}

double Heun::initNoiseSigma() const { return startingSigma(sigmas_, leading_); }

at::Tensor Heun::scaleModelInput(const at::Tensor& sample, std::size_t call) const {
  return scaledBySigma(sample, sigmas_[static_cast<std::int64_t>(call)]);
}

at::Tensor Heun::step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& /*noise*/) {
  const auto i = static_cast<std::int64_t>(call);
  const at::Tensor sigma = sigmas_[i];    // of the second half: where the first one ended
  at::Tensor original = originalAtSigma(prediction_, output, sample, sigma);
  if (clips_) original = original.clamp(-range_, range_);
  const at::Tensor slope = (sample - original) / sigma;
  if (!slope_.defined()) {
    slope_ = slope;
    start_ = sample;
    change_ = sigmas_[i + 1] - sigma;
    return sample + slope * change_;
  }
  const at::Tensor next = start_ + (slope_ + slope) / 2 * change_;
  slope_ = start_ = change_ = at::Tensor();
  return next;
}

at::Tensor Heun::addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const {
  return original + noise * sigmas_[static_cast<std::int64_t>(call)].to(original.scalar_type());
}

}  // namespace quantspot::model
