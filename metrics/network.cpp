#include "metrics/network.h"

#include <ATen/ATen.h>

namespace quantspot::metrics {

at::Tensor Convolution::operator()(const at::Tensor& x) const { return at::conv2d(x, weight, bias, stride, padding); }

at::Tensor BatchNorm::operator()(const at::Tensor& x) const { return at::batch_norm(x, weight, bias, mean, variance, false, 0, eps, false); }

at::Tensor maxPool(const at::Tensor& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool ceil) {
  return at::max_pool2d(x, {kernel, kernel}, {stride, stride}, {padding, padding}, {1, 1}, ceil);
}

}  // namespace quantspot::metrics
