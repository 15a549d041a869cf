// bitsandbytes' second quantization: the scales of a 4-bit weight in 8 bits (functional.py:296, 772-940, and the CPU build's
// quantize_blockwise).
#pragma once

#include <ATen/core/Tensor.h>

namespace quantspot::quant {

struct DoubleScales {
  at::Tensor codes;   // (blocks) u8
  at::Tensor absmax;  // (⌈blocks/256⌉) f32
  at::Tensor offset;  // (1) f32, the mean that was taken off first
};

// The 256 values of the "dynamic" type, rising, fp32: exponents 10⁻⁶…10⁰ by the leading zeros, the rest a linear fraction.
const at::Tensor& dynamicMap();

DoubleScales quantizeScales(const at::Tensor& scales);          // (blocks) f32, CPU

// Scales first … first+count−1 back as f32, on the device of the parts.
at::Tensor recoverScales(const DoubleScales& packed, std::int64_t first, std::int64_t count);

}  // namespace quantspot::quant
