// EulerAncestralDiscreteScheduler: draws noise after every step, also where nothing of it is left.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class EulerAncestral : public Scheduler {
 public:
  explicit EulerAncestral(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor sigmas() const override { return sigmas_; }
  double initNoiseSigma() const override;
  at::Tensor scaleModelInput(const at::Tensor& sample, std::size_t call) const override;
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  Prediction prediction_;
  bool leading_;
  at::Tensor sigmas_;                     // float32
  std::vector<double> timesteps_;
};

}  // namespace quantspot::model
