// FlowMatchEulerDiscreteScheduler as in diffusers 0.42.1.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <vector>

namespace quantspot::model {

class FlowMatchEuler {
 public:
  explicit FlowMatchEuler(const std::filesystem::path& folder);  // reads scheduler/scheduler_config.json
  // sequenceLength (packed image tokens) decides the shift when the configuration asks for a dynamic one.
  void setTimesteps(int steps, std::int64_t sequenceLength);
  const std::vector<float>& sigmas() const { return sigmas_; }          // steps + 1, the last is 0 (1 when inverted)
  const std::vector<float>& timesteps() const { return timesteps_; }    // steps, sigma × train timesteps
  at::Tensor step(const at::Tensor& velocity, int index, const at::Tensor& sample) const;

 private:
  float shifted(float sigma, std::int64_t sequenceLength) const;
  void stretch();
  void respace();

  enum class Spacing { Plain, Karras, Exponential };
  struct Settings {
    int trainTimesteps = 1000;
    double shift = 1.0, baseShift = 0.5, maxShift = 1.15;
    int baseLength = 256, maxLength = 4096;
    double terminal = 0;                       // 0: none
    bool dynamic = false, exponential = true, invert = false;
    Spacing spacing = Spacing::Plain;
  } settings_;
  std::vector<float> sigmas_, timesteps_;
};

}  // namespace quantspot::model
