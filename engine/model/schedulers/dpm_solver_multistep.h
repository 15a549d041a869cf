// DPMSolverMultistepScheduler: DPM-Solver and DPM-Solver++ of orders 1 to 3, also as stochastic equations, which draw noise at every step.
#pragma once

#include "engine/model/schedulers/multistep.h"
#include "engine/model/schedulers/sigma_space.h"

namespace quantspot::model {

class DpmSolverMultistep : public Scheduler {
 public:
  explicit DpmSolverMultistep(const Config& config);
  void setTimesteps(int steps, const ImageTokens& tokens = {}) override;
  const std::vector<double>& timesteps() const override { return times_.timesteps; }
  at::Tensor sigmas() const override { return times_.sigmas; }
  at::Tensor step(const at::Tensor& output, std::size_t call, const at::Tensor& sample, const NoiseSource& noise) override;
  at::Tensor addNoise(const at::Tensor& original, const at::Tensor& noise, std::size_t call) const override;

 private:
  struct Factors;                         // of the sample, of the outputs' differences and of the noise
  int orderAt(std::size_t call) const;
  at::Tensor converted(const at::Tensor& output, const at::Tensor& sample, const at::Tensor& ratio) const;
  Factors factors(int order, const PathPoint& now, const PathPoint& next, const at::Tensor& h) const;
  void firstOrder(Factors& f, const PathPoint& now, const PathPoint& next, const at::Tensor& h) const;
  at::Tensor secondFactor(int order, const PathPoint& next, const at::Tensor& h) const;

  MultistepSchedule schedule_;
  Prediction prediction_;
  Clipping clipping_;
  int solverOrder_;
  bool plusPlus_, stochastic_, midpoint_, lowerOrderFinal_, eulerAtFinal_, endsLow_, learnedVariance_;
  MultistepTimes times_;
  std::vector<at::Tensor> outputs_;       // converted, newest first, at most solverOrder_
};

}  // namespace quantspot::model
