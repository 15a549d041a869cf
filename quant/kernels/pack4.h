// One block to 4-bit codes. Static: each kernel file keeps the code that its own compiler flags gave.
#pragma once

#include "quant/kernels/rounding.h"

namespace quantspot::quant {

// Follows bitsandbytes (backends/default/ops.py:233): a whole block multiplies by the reciprocal of its scale, a cut one
// (the last, when the weight is no multiple of 64) divides, and keeps the floor of 1e-38 in its scale.
static inline float packBlock(const Bf16* weight, std::int64_t count, const float* bounds, const std::uint8_t* order, std::uint8_t* packed) {
  float scaled[blockOf4Bit] = {};  // a missing odd neighbour packs as zero
  float absmax = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float magnitude = __builtin_fabsf(scaled[i] = widen(weight[i]));
    absmax = absmax < magnitude ? magnitude : absmax;
  }
  const bool whole = count == blockOf4Bit;
  const float safe = absmax < 1e-38f ? 1e-38f : absmax, reciprocal = 1.0f / safe;
  std::int32_t below[blockOf4Bit] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = whole ? scaled[i] * reciprocal : scaled[i] / safe;
    scaled[i] = value > 1 ? 1 : value < -1 ? -1 : value;
  }
  for (int bound = 0; bound < 15; ++bound)
    for (std::int64_t i = 0; i < blockOf4Bit; ++i) below[i] += scaled[i] > bounds[bound];
  for (std::int64_t i = 0; i < count; i += 2) packed[i / 2] = static_cast<std::uint8_t>(order[below[i]] << 4 | order[below[i + 1]]);
  return whole ? absmax : safe;
}

}  // namespace quantspot::quant
