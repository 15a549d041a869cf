// The schedule that DPMSolverMultistepScheduler and UniPCMultistepScheduler share.
#pragma once

#include "engine/model/schedulers/diffusion.h"
#include "engine/model/schedulers/spacing.h"

namespace quantspot::model {

struct MultistepTimes {
  at::Tensor sigmas;                      // float32, one more than timesteps
  std::vector<double> timesteps;          // whole numbers
};

class MultistepSchedule {
 public:
  enum class Solver { Dpm, UniPc };       // they round and end differently
  MultistepSchedule(const Config& config, Solver solver);
  // Throws ModelError for steps that the configuration cannot have.
  MultistepTimes times(int steps, std::int64_t imageTokens) const;
  bool flow() const { return flow_; }

 private:
  int usedTrainSteps(const Config& config) const;
  double flowShift(std::int64_t imageTokens) const;
  std::vector<double> spaced(int steps, std::vector<double>& timesteps) const;
  std::vector<double> dpmFlow(int steps, double shift) const;
  std::vector<double> uniPcFlow(int steps, double shift) const;

  Config config_;
  Solver solver_;
  NoiseSchedule schedule_;
  TimestepSpacing spacing_;
  SigmaSpacing sigmaSpacing_;
  bool endsLow_, flow_, cosine_;
  int last_;                              // training steps in use
  std::vector<float> trainSigmas_, logSigmas_;
};

}  // namespace quantspot::model
