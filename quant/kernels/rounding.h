// fp32 ↔ bf16 by their bits. Static: each kernel file keeps the code that its own compiler flags gave.
#pragma once

#include "quant/kernels/host_device.h"
#include "quant/kernels/kernels.h"

namespace quantspot::quant {

// To nearest, ties to even. Finite values only.
QUANTSPOT_HD static inline Bf16 roundToBf16(float value) {
  const auto bits = __builtin_bit_cast(std::uint32_t, value);
  return static_cast<Bf16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

QUANTSPOT_HD static inline float widen(Bf16 value) { return __builtin_bit_cast(float, static_cast<std::uint32_t>(value) << 16); }

}  // namespace quantspot::quant
