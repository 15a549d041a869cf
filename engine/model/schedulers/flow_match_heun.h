// FlowMatchHeunDiscreteScheduler: every step but the last is taken twice, and the mean of both slopes counts.
#pragma once

#include "engine/model/config.h"
#include "engine/model/schedulers/scheduler.h"

namespace quantspot::model {

class FlowMatchHeun : public Scheduler {
 public:
  explicit FlowMatchHeun(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;   // its own sigmas always, as in the reference
  const std::vector<double>& timesteps() const override { return timesteps_; }   // 2 steps − 1
  at::Tensor sigmas() const override { return sigmas_; }
  int order() const override { return 2; }
  at::Tensor step(const at::Tensor& velocity, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  int trainTimesteps_;
  double shift_;
  at::Tensor sigmas_;                     // (2 steps) float32
  std::vector<double> timesteps_;
  at::Tensor slope_, start_, change_;     // of the first half of a step; undefined between steps
};

}  // namespace quantspot::model
