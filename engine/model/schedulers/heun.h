// HeunDiscreteScheduler: every step but the last is taken twice, and the mean of both slopes counts.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

// Unlike Euler's, its arithmetic is in the type of the sample.
class Heun : public Scheduler {
 public:
  explicit Heun(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }   // 2 steps − 1
  at::Tensor sigmas() const override { return sigmas_; }
  int order() const override { return 2; }
  double initNoiseSigma() const override;
  at::Tensor scaleModelInput(const at::Tensor& sample, std::size_t call) const override;
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  SigmaSpacing sigmaSpacing_;
  Prediction prediction_;
  bool leading_, clips_;
  double range_;                          // of clip_sample
  at::Tensor sigmas_;                     // (2 steps) float32
  std::vector<double> timesteps_;
  at::Tensor slope_, start_, change_;     // of the first half of a step; undefined between steps
};

}  // namespace quantspot::model
