// PNDMScheduler: linear multistep, after Runge-Kutta steps where the configuration does not skip them.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

class Pndm : public Scheduler {
 public:
  explicit Pndm(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return timesteps_; }
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  at::Tensor rungeKutta(at::Tensor output, std::int64_t timestep, const at::Tensor& sample);
  at::Tensor multistep(at::Tensor output, std::int64_t timestep, at::Tensor sample);
  at::Tensor moved(const at::Tensor& sample, std::int64_t from, std::int64_t to, const at::Tensor& output) const;

  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  Prediction prediction_;
  bool skipsRungeKutta_;
  at::Tensor lastProduct_;                // beyond the lowest training step (set_alpha_to_one)
  int stride_ = 1;                        // training steps per step
  std::vector<double> timesteps_;
  std::size_t rungeKuttaCalls_ = 0, counter_ = 0;
  at::Tensor sum_, held_;                 // of the outputs of one Runge-Kutta step; the sample where a step began
  std::vector<at::Tensor> outputs_;       // the last four
};

}  // namespace quantspot::model
