// Exact integer products, the part that all precisions with int8 activations share; CPU only.
#pragma once

#include "quant/kernels/int8.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>

namespace quantspot::quant {

// (out, in) int8 codes → the layout of Int8Product::panels, (⌈out/16⌉, ⌈in/4⌉, 16, 4) u8, which takes the place of the codes.
at::Tensor toPanels(const at::Tensor& codes);

// Activations as rows of int8.
struct Int8Rows {
  at::Tensor codes, scales, sums;  // (M, ⌈in/4⌉·4) i8, zero beyond `in`; (M) f32; (M) i32
  std::int64_t grain;

  Int8Rows(std::int64_t rows, std::int64_t columns);

  // scales[row] = scale(row), on all threads. The body must not use torch.
  template <class Scale>
  void fillScales(Scale&& scale) {
    auto* to = scales.mutable_data_ptr<float>();
    at::parallel_for(0, scales.size(0), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) to[row] = scale(row);
    });
  }

  // Calls quantize(row, its scale, its codes), which returns the sum of the codes. The body must not use torch.
  template <class Quantize>
  void fillCodes(Quantize&& quantize) {
    auto* to = codes.mutable_data_ptr<std::int8_t>();
    const auto* scale = scales.const_data_ptr<float>();
    auto* sum = sums.mutable_data_ptr<std::int32_t>();
    const std::int64_t stride = codes.size(1);
    at::parallel_for(0, scales.size(0), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) sum[row] = quantize(row, scale[row], to + row * stride);
    });
  }
};

// → (M, out): fp32 for Int8Finish::Fbgemm, else bf16. `panels` of toPanels(), `columnScales` (out) f32; `bias` (out) of any
// floating type, or undefined.
at::Tensor multiplyInt8(const Int8Rows& x, const at::Tensor& panels, const at::Tensor& columnScales, const at::Tensor& bias, Int8Finish finish);

// The sums of the same product in torch operations, for devices without kernels here: (M, out) f32, exact before its rounding.
at::Tensor integerSums(const at::Tensor& x, const at::Tensor& codes);

}  // namespace quantspot::quant
