// The parts of Int8Kernels that need no vector code by hand. Static: each kernel file keeps the code that its own compiler
// flags gave (with F16C the passage through fp16 is one instruction, without it a call).
#pragma once

#include "quant/kernels/int8.h"
#include "quant/kernels/rounding.h"

namespace quantspot::quant {

static inline float throughHalf(Bf16 x) { return static_cast<float>(static_cast<_Float16>(widen(x))); }

static inline float rowScaleOf(const Bf16* x, std::int64_t count, float threshold, std::uint8_t* outliers) {
  float scale = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float magnitude = __builtin_fabsf(throughHalf(x[i]));
    if (threshold > 0 && magnitude >= threshold)
      __atomic_store_n(outliers + i, 1, __ATOMIC_RELAXED);
    else if (!(magnitude <= scale))
      scale = magnitude;  // a NaN stays: nothing compares with it
    if (scale != scale) return scale;
  }
  return scale;
}

static inline std::int32_t quantizeRowOf(const Bf16* x, std::int64_t count, float scale, const std::uint8_t* outliers, std::int8_t* codes) {
  const float factor = 1.0f / scale * 127.0f;
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool zero = !(scale > 0) || (outliers && outliers[i]);
    codes[i] = zero ? 0 : static_cast<std::int8_t>(__builtin_rintf(throughHalf(x[i]) * factor));
    sum += codes[i];
  }
  return sum;
}

// One result, in bitsandbytes' order of operations.
static inline void finishOne(const Int8Product& p, std::int32_t sum, std::int64_t row, std::int64_t column) {
  const auto exact = static_cast<float>(sum - 128 * p.rowSum[row]);
  const float value = exact * (p.rowScale[row] * p.columnScale[column]) * int8Unscale;
  p.out[row * p.columns + column] = roundToBf16(p.bias ? value + p.bias[column] : value);
}

}  // namespace quantspot::quant
