// Rows of numbers as numpy makes them, and the ways to space timesteps and sigmas that the schedulers of diffusers share. All in double.
#pragma once

#include "engine/model/config.h"

#include <optional>
#include <vector>

namespace quantspot::model {

std::vector<double> linspace(double first, double last, int count);       // numpy.linspace
std::vector<double> arange(double first, double last, double step);       // numpy.arange with floating-point arguments
// numpy.interp(at, [0, 1, …], values).
double interpolated(const std::vector<float>& values, double at);

// timestep_spacing and steps_offset.
class TimestepSpacing {
 public:
  TimestepSpacing(const Config& config, const char* fallback);
  enum class Round { No, Yes };
  // Of training steps 0 … trainSteps − 1, highest first. No: linspace keeps its fractions.
  std::vector<double> descending(int steps, int trainSteps, Round round = Round::Yes) const;
  // The multistep solvers': one step more, of which the lowest is left out. `last`: training steps that are used (lambda_min_clipped).
  std::vector<double> withoutLowest(int steps, int trainSteps, int last) const;

 private:
  enum class Kind { Leading, Trailing, Linspace } kind_;
  std::int64_t offset_;
};

// use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas, use_lu_lambdas (where a scheduler knows it), with sigma_min and sigma_max.
class SigmaSpacing {
 public:
  enum class Kind { Plain, Karras, Exponential, Beta, Lu };
  explicit SigmaSpacing(const Config& config, bool knowsLu = false);
  Kind kind() const { return kind_; }
  // steps sigmas from high to low, which the configuration's sigma_max and sigma_min replace. Not for Plain.
  std::vector<double> between(double high, double low, int steps) const;

 private:
  Kind kind_ = Kind::Plain;
  std::optional<double> lowest_, highest_;
};

// The (fractional) training step of a noise level; logSigmas ascend with the training step.
double timestepOf(double sigma, const std::vector<float>& logSigmas);

// final_sigmas_type: true for "sigma_min", false for "zero".
bool endsAtLowestSigma(const Config& config);

// mu of FLUX's pipeline for a number of packed image tokens (base_shift, max_shift, base_image_seq_len, max_image_seq_len).
double dynamicShift(const Config& config, std::int64_t imageTokens);

}  // namespace quantspot::model
