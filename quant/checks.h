// What every format asks of a weight before it packs it.
#pragma once

#include <ATen/core/Tensor.h>

namespace quantspot::quant {

// weight (out, in) of any floating dtype → the same values rounded to `compute`, contiguous; shares memory where nothing
// changes. Throws std::invalid_argument for another rank, another dtype, no elements, and for the first inf or NaN, with
// its row and column.
at::Tensor checkedWeight(const at::Tensor& weight, at::ScalarType compute);

}  // namespace quantspot::quant
