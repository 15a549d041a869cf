// UniPCMultistepScheduler: a predictor, and a corrector that uses the next call's output.
#pragma once

#include "engine/model/schedulers/multistep.h"
#include "engine/model/schedulers/sigma_space.h"

namespace quantspot::model {

class UniPc : public Scheduler {
 public:
  explicit UniPc(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return times_.timesteps; }
  at::Tensor sigmas() const override { return times_.sigmas; }
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  struct Expansion;                       // what predictor and corrector have in common
  Expansion expanded(std::size_t index, int order) const;
  at::Tensor moved(const Expansion& e, const at::Tensor& sample, const at::Tensor& differences) const;
  at::Tensor predicted(const at::Tensor& sample, std::size_t call) const;
  at::Tensor corrected(const at::Tensor& output, std::size_t call) const;
  PathPoint pointAt(std::size_t index) const;

  MultistepSchedule schedule_;
  bool predictsOriginal_;
  Prediction prediction_;
  Clipping clipping_;
  int solverOrder_, order_ = 1;           // order_: of the last prediction
  bool bh2_, lowerOrderFinal_;
  std::vector<int> uncorrected_;
  MultistepTimes times_;
  std::vector<at::Tensor> outputs_;       // converted, newest first, at most solverOrder_
  at::Tensor lastSample_;
};

}  // namespace quantspot::model
