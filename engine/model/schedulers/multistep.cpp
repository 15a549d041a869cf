#include "engine/model/schedulers/multistep.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace quantspot::model {

using Kind = SigmaSpacing::Kind;

MultistepSchedule::MultistepSchedule(const Config& config, Solver solver)
    : config_(config), solver_(solver), schedule_(config, true), spacing_(config, "linspace"), sigmaSpacing_(config, solver == Solver::Dpm),
      endsLow_(endsAtLowestSigma(config)), flow_(config.get("use_flow_sigmas", false)),
      cosine_(config.get<std::string>("beta_schedule", "linear") == "squaredcos_cap_v2"), last_(usedTrainSteps(config)),
      trainSigmas_(schedule_.sigmas()),
      logSigmas_(logarithms(trainSigmas_)) {
  const auto type = config.get<std::string>("time_shift_type", "exponential");
  const bool linear = type == "linear" && (solver == Solver::UniPc || !config.get("use_dynamic_shifting", false));
  if (type != "exponential" && !linear) config.fail("time_shift_type", "is not supported by this scheduler");
  if (solver == Solver::UniPc && config.has("shift_terminal") && !flow_) config.fail("shift_terminal", "needs use_flow_sigmas");
}

// Those whose log(alpha / sigma) is at least lambda_min_clipped.
int MultistepSchedule::usedTrainSteps(const Config& config) const {
  const int all = schedule_.trainSteps();
  if (solver_ == Solver::UniPc || !config.has("lambda_min_clipped")) return all;
  const at::Tensor bars = schedule_.products(), lambdas = bars.sqrt().log() - (1 - bars).sqrt().log();
  const auto clipped = lambdas.lt(config.need<double>("lambda_min_clipped")).sum().item<std::int64_t>();
  if (all - clipped < 1) config.fail("lambda_min_clipped", "leaves no training step");
  return all - static_cast<int>(clipped);
}

double MultistepSchedule::flowShift(std::int64_t imageTokens) const {
  const bool dynamic = config_.get("use_dynamic_shifting", false);
  if (dynamic && imageTokens > 0) return std::exp(dynamicShift(config_, imageTokens));
  if (dynamic && solver_ == Solver::UniPc) config_.fail("use_dynamic_shifting", "needs a model whose number of image tokens is known");
  return config_.get("flow_shift", 1.0);
}

MultistepTimes MultistepSchedule::times(int steps, std::int64_t imageTokens) const {
  needSteps(steps, std::numeric_limits<int>::max());
  const double shift = flowShift(imageTokens);
  std::vector<double> timesteps, sigmas;
  if (sigmaSpacing_.kind() != Kind::Plain) {
    sigmas = spaced(steps, timesteps);
  } else if (flow_) {
    sigmas = solver_ == Solver::Dpm ? dpmFlow(steps, shift) : uniPcFlow(steps, shift);
    for (const double sigma : sigmas) timesteps.push_back(sigma * schedule_.trainSteps());
  } else {
    timesteps = spacing_.withoutLowest(steps, schedule_.trainSteps(), last_);
    for (const double t : timesteps) sigmas.push_back(interpolated(trainSigmas_, t));
  }
  // UniPC ends at the last sigma that it has made itself.
  const bool own = solver_ == Solver::UniPc && (flow_ || sigmaSpacing_.kind() != Kind::Plain);
  sigmas.push_back(!endsLow_ ? 0 : own ? sigmas.back() : schedule_.sigma(0).item<float>());
  for (double& t : timesteps) t = std::trunc(t);
  return {asTensor(sigmas), timesteps};
}

std::vector<double> MultistepSchedule::spaced(int steps, std::vector<double>& timesteps) const {
  const Kind kind = sigmaSpacing_.kind();
  std::vector<double> sigmas = sigmaSpacing_.between(trainSigmas_.back(), trainSigmas_.front(), steps);
  const bool flowTimes = solver_ == Solver::UniPc && flow_ && kind == Kind::Karras;
  const bool whole = kind == Kind::Karras ? solver_ == Solver::UniPc || !cosine_ : kind == Kind::Lu && !cosine_;
  for (double& sigma : sigmas) {
    if (flowTimes) sigma = sigma / (sigma + 1);
    const double t = flowTimes ? sigma * schedule_.trainSteps() : timestepOf(sigma, logSigmas_);
    timesteps.push_back(whole && !flowTimes ? std::nearbyint(t) : t);
  }
  return sigmas;
}

std::vector<double> MultistepSchedule::dpmFlow(int steps, double shift) const {
  std::vector<double> sigmas = linspace(1, 1.0 / schedule_.trainSteps(), steps + 1);
  for (double& s : sigmas) s = shift * (1.0 - s) / (1 + (shift - 1) * (1.0 - s));
  std::ranges::reverse(sigmas);
  sigmas.pop_back();
  return sigmas;
}

// The first is kept from 1, where alpha would be 0.
std::vector<double> MultistepSchedule::uniPcFlow(int steps, double shift) const {
  std::vector<double> sigmas = linspace(1, 1.0 / schedule_.trainSteps(), steps + 1);
  sigmas.pop_back();
  const bool dynamic = config_.get("use_dynamic_shifting", false);
  const bool exponential = config_.get<std::string>("time_shift_type", "exponential") == "exponential";
  const double factor = dynamic && !exponential ? std::log(shift) : shift;
  for (double& s : sigmas) s = dynamic ? factor / (factor + (1 / s - 1)) : shift * s / (1 + (shift - 1) * s);
  if (const double terminal = config_.get("shift_terminal", 0.0); terminal != 0) {
    const double stretch = (1 - sigmas.back()) / (1 - terminal);
    if (stretch == 0) config_.fail("shift_terminal", "needs at least 2 steps");
    for (double& s : sigmas) s = 1 - (1 - s) / stretch;
  }
  if (std::abs(sigmas.front() - 1) < 1e-6) sigmas.front() -= 1e-6;
  return sigmas;
}

}  // namespace quantspot::model
