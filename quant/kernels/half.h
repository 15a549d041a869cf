// fp16 by its bits, for CPUs without the instructions. Static: each kernel file keeps the code that its own compiler flags gave.
#pragma once

#include "quant/kernels/host_device.h"

#include <cstdint>

namespace quantspot::quant {

using Half = std::uint16_t;  // the bits

QUANTSPOT_HD static inline float widenHalf(Half half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16, rest = half & 0x7fff;
  if (rest >= 0x7c00) return __builtin_bit_cast(float, sign | 0x7f800000 | rest << 13);              // inf, NaN
  if (rest >= 0x0400) return __builtin_bit_cast(float, sign | ((rest << 13) + ((127 - 15) << 23)));
  const float magnitude = static_cast<float>(rest) * 0x1p-24f;                                        // subnormal: exact
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, magnitude));
}

// To nearest, ties to even; what is too large becomes infinity.
QUANTSPOT_HD static inline Half roundToHalf(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return static_cast<Half>(sign | 0x7e00);
  if (rest >= 0x477ff000) return static_cast<Half>(sign | 0x7c00);                                    // 65520 and above
  if (rest < 0x38800000) {                                                                            // below 2^-14: counts of 2^-24
    const float counts = __builtin_bit_cast(float, rest) * 0x1p24f;
    return static_cast<Half>(sign | (__builtin_bit_cast(std::uint32_t, counts + 0x1p23f) & 0x7fff));
  }
  return static_cast<Half>(sign | ((rest + 0xfff + (rest >> 13 & 1) - (std::uint32_t{127 - 15} << 23)) >> 13));
}

// Scales lie in a block at even offsets, in little endian, as this program runs.
QUANTSPOT_HD static inline Half loadHalf(const std::uint8_t* from) {
  Half half;
  __builtin_memcpy(&half, from, sizeof half);
  return half;
}

QUANTSPOT_HD static inline void storeHalf(Half half, std::uint8_t* to) { __builtin_memcpy(to, &half, sizeof half); }

}  // namespace quantspot::quant
