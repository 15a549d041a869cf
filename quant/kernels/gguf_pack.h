// The K-quants' side of packGgml: one super-block of 256 values each. They return false as packGgml does.
#pragma once

#include "quant/kernels/half.h"

namespace quantspot::quant {

bool packQ2K(const float* from, std::uint8_t* to);
bool packQ3K(const float* from, std::uint8_t* to);
bool packQ4K(const float* from, std::uint8_t* to);
bool packQ5K(const float* from, std::uint8_t* to);
bool packQ6K(const float* from, std::uint8_t* to);

// False when it is too large for fp16.
inline bool storeScale(float scale, std::uint8_t* to) {
  const Half half = roundToHalf(scale);
  storeHalf(half, to);
  return (half & 0x7c00) != 0x7c00;
}

}  // namespace quantspot::quant
