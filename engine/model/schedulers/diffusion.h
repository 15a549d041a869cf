// What the schedulers of diffusion models share: betas and their products, prediction types, clipping.
// Scalars of the arithmetic are float32 tensors without dimensions, as in the reference, whose types they decide.
#pragma once

#include "engine/model/config.h"
#include "engine/model/schedulers/scheduler.h"

#include <ATen/core/Tensor.h>

namespace quantspot::model {

struct BetaDefaults {
  double start = 0.0001, end = 0.02;
  const char* schedule = "linear";
  bool knowsExp = false;                                     // beta_schedule "exp"
};

// trained_betas, beta_start, beta_end, beta_schedule, rescale_betas_zero_snr.
class NoiseSchedule {
 public:
  // floorsLast: with rescale_betas_zero_snr the last product is 2^-24 instead of 0, so that its sigma is finite.
  // knowsRescale: false for a class without that key.
  NoiseSchedule(const Config& config, bool floorsLast, const BetaDefaults& defaults = {}, bool knowsRescale = true);
  int trainSteps() const { return static_cast<int>(products_.size(0)); }
  const at::Tensor& products() const { return products_; }   // alphas_cumprod: (trainSteps) float32
  at::Tensor product(std::int64_t timestep) const;           // a scalar; ModelError beyond the schedule
  std::vector<float> sigmas() const;                         // ((1 − product) / product)^½, ascending
  at::Tensor sigma(std::int64_t timestep) const;             // the same as a scalar
  // √product · original + √(1 − product) · noise, in the type of original.
  at::Tensor noised(const at::Tensor& original, const at::Tensor& noise, std::int64_t timestep) const;

 private:
  at::Tensor products_;
};

enum class Prediction { Epsilon, Sample, Velocity, Flow };
// prediction_type; ModelError when it is not one of `known`.
Prediction predictionOf(const Config& config, std::initializer_list<Prediction> known);

// The finished sample that an output means, at a product of alphas.
at::Tensor predictedOriginal(Prediction prediction, const at::Tensor& output, const at::Tensor& sample, const at::Tensor& product);

// thresholding (dynamic_thresholding_ratio, sample_max_value) or clip_sample (clip_sample_range) of a predicted original.
class Clipping {
 public:
  enum class Default { None, Off, On };                      // of clip_sample; None: the class has no such key
  Clipping(const Config& config, Default clip);
  at::Tensor operator()(const at::Tensor& original) const;
  bool thresholds() const { return thresholds_; }

 private:
  at::Tensor thresholded(const at::Tensor& original) const;

  bool thresholds_, clips_ = false;
  double ratio_, most_, range_;
};

std::vector<float> logarithms(const std::vector<float>& values);   // rounded once
at::Tensor asTensor(const std::vector<double>& values);            // float32, CPU
void needSteps(int steps, int most);                               // ModelError outside 1 … most
at::Tensor drawn(const NoiseSource& noise, const at::Tensor& like);  // noise in the shape, type and device of a tensor

}  // namespace quantspot::model
