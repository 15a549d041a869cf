// EulerDiscreteScheduler without churn, as the pipelines call it.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class Euler : public Scheduler {
 public:
  explicit Euler(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor sigmas() const override { return sigmas_; }
  double initNoiseSigma() const override;
  at::Tensor scaleModelInput(const at::Tensor& sample, std::size_t call) const override;
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  std::vector<double> plainSigmas(const std::vector<double>& timesteps, int steps) const;

  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  SigmaSpacing sigmaSpacing_;
  Prediction prediction_;
  bool leading_, logLinear_, endsLow_;
  bool continuous_;                       // timesteps are log(sigma) / 4
  std::vector<float> trainSigmas_, logSigmas_;
  at::Tensor sigmas_;                     // float32
  std::vector<double> timesteps_;
};

}  // namespace quantspot::model
