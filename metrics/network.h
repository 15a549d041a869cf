// What the small networks of the metrics share: reading weights by name, and convolutions of torchvision's making.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace quantspot::metrics {

// Gives a tensor by its name with the shape that it must have; throws when it cannot. float32, or what can become it.
using WeightSource = std::function<at::Tensor(const std::string& name, const std::vector<std::int64_t>& shape)>;

struct Convolution {
  at::Tensor weight, bias;               // bias: undefined where batch norm follows
  std::vector<std::int64_t> stride = {1, 1}, padding = {0, 0};
  at::Tensor operator()(const at::Tensor& x) const;
};

// Eval-mode batch norm over channels.
struct BatchNorm {
  at::Tensor weight, bias, mean, variance;
  double eps = 1e-3;
  at::Tensor operator()(const at::Tensor& x) const;
};

at::Tensor maxPool(const at::Tensor& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding = 0, bool ceil = false);

}  // namespace quantspot::metrics
