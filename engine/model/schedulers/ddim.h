// DDIMScheduler with eta 0, as the pipelines call it.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class Ddim : public Scheduler {
 public:
  explicit Ddim(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  Prediction prediction_;
  Clipping clipping_;
  at::Tensor lastProduct_;                // beyond the lowest training step (set_alpha_to_one)
  int stride_ = 1;                        // training steps per step
  std::vector<double> timesteps_;
};

}  // namespace quantspot::model
