// FlowMatchEulerDiscreteScheduler.
#pragma once

#include "engine/model/schedulers/scheduler.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class FlowMatchEuler : public Scheduler {
 public:
  explicit FlowMatchEuler(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor sigmas() const override;                    // steps + 1, the last is 0 (1 when inverted)
  at::Tensor step(const at::Tensor& velocity, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  template <class Real>
  void shift(std::vector<Real>& sigmas, double mu) const;
  std::vector<double> ownSigmas(int steps) const;

  int trainTimesteps_;
  double shift_, terminal_;                               // terminal 0: none
  bool dynamic_, exponential_, invert_, stochastic_;
  SigmaSpacing spacing_;
  Config config_;
  std::vector<float> sigmas_;
  std::vector<double> timesteps_;
};

}  // namespace quantspot::model
