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

// Bits of a magnitude are ordered as the magnitudes are, a NaN above all.
static inline float largestOf(const Bf16* x, std::int64_t count) {
  std::uint16_t bits = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto magnitude = static_cast<std::uint16_t>(x[i] & 0x7fff);
    bits = bits < magnitude ? magnitude : bits;
  }
  return widen(bits);
}

static inline float clamped(float value, float low, float high) {  // a NaN becomes `low`
  value = value > low ? value : low;
  return value < high ? value : high;
}

static inline std::int32_t quantizeByOf(const Bf16* x, std::int64_t count, float factor, std::int8_t* codes) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto code = static_cast<std::int32_t>(clamped(__builtin_rintf(widen(x[i]) * factor), -128, 127));
    codes[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  return sum;
}

static inline std::int32_t quantizeOverOf(const Bf16* x, std::int64_t count, float scale, std::int8_t* codes) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto code = static_cast<std::int32_t>(clamped(__builtin_rintf(widen(roundToBf16(widen(x[i]) / scale))), -128, 127));
    codes[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  return sum;
}

static inline std::int32_t quantizeFromOf(const float* x, std::int64_t count, float factor, std::int32_t zero, std::int8_t* codes) {
  const auto low = static_cast<float>(-zero), high = static_cast<float>(127 - zero);
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto code = static_cast<std::int32_t>(clamped(__builtin_rintf(x[i] * factor), low, high));
    codes[i] = static_cast<std::int8_t>(code);
    sum += code;
  }
  return sum;
}

// One result.
static inline void finishOne(const Int8Product& p, std::int32_t sum, std::int64_t row, std::int64_t column) {
  const auto exact = static_cast<float>(sum - 128 * p.rowSum[row]);
  const float added = p.bias ? p.bias[column] : 0, scale = p.columnScale[column];
  float value = 0;
  switch (p.finish) {
    case Int8Finish::Bnb:
      value = exact * (p.rowScale[row] * scale) * int8Unscale;
      break;
    case Int8Finish::TorchAo:
      value = widen(roundToBf16(exact * p.rowScale[row])) * scale;
      break;
    case Int8Finish::Quanto:
      value = widen(roundToBf16(exact * scale));
      break;
    case Int8Finish::Fbgemm:
      p.wide[row * p.columns + column] = __builtin_fmaf(exact, p.rowScale[row] * scale, added);
      return;
  }
  p.out[row * p.columns + column] = roundToBf16(p.bias ? value + added : value);
}

}  // namespace quantspot::quant
