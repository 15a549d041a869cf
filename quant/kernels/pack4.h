// At most 64 weights to 4-bit codes. Static: each kernel file keeps the code that its own compiler flags gave.
#pragma once

#include "quant/kernels/rounding.h"

namespace quantspot::quant {

// Follows bitsandbytes (backends/default/ops.py:233): a whole block multiplies by the reciprocal of its scale, a cut one
// (the last, when the weight is no multiple of the block) divides.
static inline void packPart(const Bf16* weight, std::int64_t count, float scale, bool whole, const float* bounds, const std::uint8_t* order,
                            std::uint8_t* packed) {
  float scaled[blockOf4Bit] = {};  // a missing odd neighbour packs as zero
  const float reciprocal = 1.0f / scale;
  std::int32_t below[blockOf4Bit] = {};
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = whole ? widen(weight[i]) * reciprocal : widen(weight[i]) / scale;
    scaled[i] = value > 1 ? 1 : value < -1 ? -1 : value;
  }
  for (int bound = 0; bound < 15; ++bound)
    for (std::int64_t i = 0; i < blockOf4Bit; ++i) below[i] += scaled[i] > bounds[bound];
  for (std::int64_t i = 0; i < count; i += 2) packed[i / 2] = static_cast<std::uint8_t>(order[below[i]] << 4 | order[below[i + 1]]);
}

}  // namespace quantspot::quant
