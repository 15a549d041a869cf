// DDPMScheduler: draws noise after every step but that to training step 0.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class Ddpm : public Scheduler {
 public:
  explicit Ddpm(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  enum class Variance { FixedSmall, FixedSmallLog, FixedLarge, FixedLargeLog, Learned, LearnedRange };
  std::int64_t following(std::int64_t timestep) const;
  at::Tensor deviation(const at::Tensor& product, const at::Tensor& next, const at::Tensor& predicted) const;

  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  Prediction prediction_;
  Clipping clipping_;
  Variance variance_;
  std::vector<double> timesteps_;
};

}  // namespace quantspot::model
