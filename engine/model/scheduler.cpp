#include "engine/model/scheduler.h"

#include "engine/model/config.h"

#include <ATen/ATen.h>

#include <cmath>

namespace quantspot::model {
namespace {

// numpy.linspace(first, last, count) in double.
std::vector<double> linspace(double first, double last, int count) {
  std::vector<double> values(static_cast<std::size_t>(count), first);
  for (int i = 1; i < count; ++i) values[i] = first + i * ((last - first) / (count - 1));
  if (count > 1) values.back() = last;
  return values;
}

}  // namespace

FlowMatchEuler::FlowMatchEuler(const std::filesystem::path& folder) {
  const Config c(folder / "scheduler" / "scheduler_config.json");
  if (c.get<std::string>("_class_name", "") != "FlowMatchEulerDiscreteScheduler") c.fail("_class_name", "is not supported; FlowMatchEulerDiscreteScheduler is");
  if (c.get("stochastic_sampling", false)) c.fail("stochastic_sampling", "is not supported");
  if (c.get("use_beta_sigmas", false)) c.fail("use_beta_sigmas", "is not supported");
  const auto shiftType = c.get<std::string>("time_shift_type", "exponential");
  if (shiftType != "exponential" && shiftType != "linear") c.fail("time_shift_type", "must be exponential or linear");
  settings_.trainTimesteps = static_cast<int>(c.positive("num_train_timesteps", 1000));
  settings_.shift = c.get("shift", 1.0);
  settings_.baseShift = c.get("base_shift", 0.5);
  settings_.maxShift = c.get("max_shift", 1.15);
  settings_.baseLength = static_cast<int>(c.positive("base_image_seq_len", 256));
  settings_.maxLength = static_cast<int>(c.positive("max_image_seq_len", 4096));
  if (settings_.baseLength == settings_.maxLength) c.fail("max_image_seq_len", "must differ from base_image_seq_len");
  settings_.dynamic = c.get("use_dynamic_shifting", false);
  settings_.exponential = shiftType == "exponential";
  settings_.terminal = c.get("shift_terminal", 0.0);
  settings_.invert = c.get("invert_sigmas", false);
  if (c.get("use_flow_sigmas", false)) c.fail("use_flow_sigmas", "is not supported");
  const bool karras = c.get("use_karras_sigmas", false), exponential = c.get("use_exponential_sigmas", false);
  if (karras && exponential) c.fail("use_karras_sigmas", "and use_exponential_sigmas exclude each other");
  settings_.spacing = karras ? Spacing::Karras : exponential ? Spacing::Exponential : Spacing::Plain;
}

// The same operations in the same types as numpy: scalars are double until they meet the float32 array.
void FlowMatchEuler::setTimesteps(int steps, std::int64_t sequenceLength) {
  if (steps < 1) throw ModelError("steps must be at least 1");
  sigmas_.assign(static_cast<std::size_t>(steps), 0);
  const auto start = linspace(1.0, 1.0 / steps, steps);
  for (int i = 0; i < steps; ++i) sigmas_[i] = shifted(static_cast<float>(start[i]), sequenceLength);
  stretch();
  respace();
  timesteps_.resize(sigmas_.size());
  for (std::size_t i = 0; i < sigmas_.size(); ++i) {
    if (settings_.invert) sigmas_[i] = 1.0F - sigmas_[i];
    timesteps_[i] = sigmas_[i] * static_cast<float>(settings_.trainTimesteps);
  }
  sigmas_.push_back(settings_.invert ? 1.0F : 0.0F);
}

float FlowMatchEuler::shifted(float sigma, std::int64_t sequenceLength) const {
  if (!settings_.dynamic) {
    const auto shift = static_cast<float>(settings_.shift);
    return shift * sigma / (1.0F + static_cast<float>(settings_.shift - 1) * sigma);
  }
  const double slope = (settings_.maxShift - settings_.baseShift) / (settings_.maxLength - settings_.baseLength);
  const double mu = static_cast<double>(sequenceLength) * slope + (settings_.baseShift - slope * settings_.baseLength);
  const auto factor = static_cast<float>(settings_.exponential ? std::exp(mu) : mu);
  return factor / (factor + (1.0F / sigma - 1.0F));
}

// Moves the last sigma to shift_terminal and the others with it.
void FlowMatchEuler::stretch() {
  if (settings_.terminal == 0) return;
  const float factor = (1.0F - sigmas_.back()) / static_cast<float>(1 - settings_.terminal);
  for (float& sigma : sigmas_) sigma = 1.0F - (1.0F - sigma) / factor;
}

void FlowMatchEuler::respace() {
  if (settings_.spacing == Spacing::Plain) return;
  constexpr double rho = 7.0;
  const double high = sigmas_.front(), low = sigmas_.back();
  const bool karras = settings_.spacing == Spacing::Karras;
  const auto ramp = karras ? linspace(0, 1, static_cast<int>(sigmas_.size())) : linspace(std::log(high), std::log(low), static_cast<int>(sigmas_.size()));
  const double highRoot = std::pow(high, 1 / rho), lowRoot = std::pow(low, 1 / rho);
  for (std::size_t i = 0; i < sigmas_.size(); ++i)
    sigmas_[i] = static_cast<float>(karras ? std::pow(highRoot + ramp[i] * (lowRoot - highRoot), rho) : std::exp(ramp[i]));
}

// In float32, then back to the type of the velocity.
at::Tensor FlowMatchEuler::step(const at::Tensor& velocity, int index, const at::Tensor& sample) const {
  const auto i = static_cast<std::size_t>(index);
  const float change = sigmas_.at(i + 1) - sigmas_.at(i);
  const auto delta = at::scalar_tensor(change, at::TensorOptions().dtype(at::kFloat));
  return (sample.to(at::kFloat) + delta * velocity).to(velocity.scalar_type());
}

}  // namespace quantspot::model
