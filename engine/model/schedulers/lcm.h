// LCMScheduler: a consistency model's steps, with noise between them.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class Lcm : public Scheduler {
 public:
  explicit Lcm(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  NoiseSchedule schedule_;
  Prediction prediction_;
  Clipping clipping_;
  int originalSteps_;                     // of the schedule that the model was distilled on
  double timestepScaling_;
  std::vector<double> timesteps_;
};

}  // namespace quantspot::model
