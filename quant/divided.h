// Division that rounds alike on every device.
#pragma once

#include <ATen/Functions.h>

namespace quantspot::quant {

// values / by, `by` being a number of the values' type. On a CUDA device torch multiplies by the reciprocal where the divisor is
// a plain number, which now and then rounds to the neighbour; a tensor there is divided by.
inline at::Tensor dividedBy(const at::Tensor& values, double by) {
  return values.is_cuda() ? values / at::full({}, by, values.options()) : values / by;
}

}  // namespace quantspot::quant
