// Loops that the compiler turns into vector code by itself. Static: each kernel file keeps the code that its own compiler
// flags gave. Every element is computed alone, so that all give the same bits.
#pragma once

#include "quant/kernels/rounding.h"

namespace quantspot::quant {

static inline void bytesToBf16Of(const std::uint8_t* codes, std::int64_t count, const Bf16* table, Bf16* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = table[codes[i]];
}

static inline void bytesToFp32Of(const std::uint8_t* codes, std::int64_t count, const Bf16* table, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = widen(table[codes[i]]);
}

template <class Store>
static inline void nibblesOf(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Store&& store) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = first + i;
    const int code = at % 2 ? packed[at / 2] & 15 : packed[at / 2] >> 4;
    store(i, roundToBf16(values[code] * absmax[at / blockOf4Bit]));
  }
}

static inline void nibblesToBf16Of(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Bf16* to) {
  nibblesOf(packed, first, count, values, absmax, [to](std::int64_t i, Bf16 value) { to[i] = value; });
}

static inline void nibblesToFp32Of(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, float* to) {
  nibblesOf(packed, first, count, values, absmax, [to](std::int64_t i, Bf16 value) { to[i] = widen(value); });
}

static inline void store(float value, float* to) { *to = value; }
static inline void store(float value, Bf16* to) { *to = roundToBf16(value); }

template <class To>
static inline void signedBytes(const std::int8_t* codes, std::int64_t count, To* to) {
  for (std::int64_t i = 0; i < count; ++i) store(static_cast<float>(codes[i]), to + i);
}

static inline void scaleBf16(Bf16* values, std::int64_t count, float scale) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = roundToBf16(widen(values[i]) * scale);
}

static inline void scaleFp32(float* values, std::int64_t count, float scale) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = widen(roundToBf16(values[i] * scale));
}

template <class To>
static inline void bitFields(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, To* to) {
  for (std::int64_t i = 0; i < count; ++i) store(table[(bytes[i] >> shift) & mask], to + i);
}

static inline void splitOf(const float* values, std::int64_t count, Bf16* high, Bf16* low) {
  for (std::int64_t i = 0; i < count; ++i) {
    high[i] = roundToBf16(values[i]);
    low[i] = roundToBf16(values[i] - widen(high[i]));
  }
}

}  // namespace quantspot::quant
