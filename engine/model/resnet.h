// ResnetBlock2D of diffusers 0.42.1 (models/resnet.py), as autoencoders and UNets have it.
#pragma once

#include "engine/model/ops.h"
#include "engine/model/parameters.h"

#include <optional>

namespace quantspot::model {

struct ResnetOptions {
  std::int64_t groups = 32;
  double eps = 1e-6;
  Activation act = nullptr;
  std::int64_t timeChannels = 0;         // of the time embedding; 0: none
  bool scaleShift = false;               // the time scales and shifts after the second norm instead of being added before it
  double outputScale = 1;                // the sum is divided by it
};

class Resnet {
 public:
  Resnet(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out, const ResnetOptions& options);

  // x (B, in, H, W), time (B, timeChannels) or undefined → (B, out, H, W).
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& time = {}) const;

 private:
  ResnetOptions options_;
  GroupNorm norm1_, norm2_;
  Conv conv1_, conv2_;
  std::optional<Conv> shortcut_;
  std::optional<Linear> time_;
};

// Nearest neighbours: twice the size, or the given one.
at::Tensor enlarged(const at::Tensor& x, std::optional<std::pair<std::int64_t, std::int64_t>> size = {});

}  // namespace quantspot::model
