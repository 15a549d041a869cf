// Loops that the compiler turns into vector code by itself. Static: each kernel file keeps the code that its own compiler
// flags gave. Every element is computed alone, or in sixteen partial sums of fixed order, so that all give the same bits.
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

// A register of 16 floats, or as many smaller ones as the flags ask for.
typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));

static inline float sumOf(Lanes lanes) {
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
}

// Rows × Columns sums stay in registers; the loops over them are gone early.
template <int Rows, int Columns>
static inline void dotTile(const float* x, const float* weight, std::int64_t depth, float* out, std::int64_t stride) {
  Lanes sums[Rows][Columns] = {};
  std::int64_t k = 0;
  for (; k + 16 <= depth; k += 16) {
    Lanes w[Columns];
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) w[j] = *reinterpret_cast<const Lanes*>(weight + j * depth + k);
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      const Lanes a = *reinterpret_cast<const Lanes*>(x + i * depth + k);
#pragma GCC unroll 4
      for (int j = 0; j < Columns; ++j) sums[i][j] += w[j] * a;
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Columns; ++j) {
      float total = sumOf(sums[i][j]);
      for (std::int64_t rest = k; rest < depth; ++rest) total += weight[j * depth + rest] * x[i * depth + rest];
      out[i * stride + j] = total;
    }
}

template <int Columns>
static inline void dotColumns(const float* x, std::int64_t rows, const float* weight, std::int64_t depth, float* out, std::int64_t stride) {
  std::int64_t row = 0;
  for (; row + 4 <= rows; row += 4) dotTile<4, Columns>(x + row * depth, weight, depth, out + row * stride, stride);
  for (; row < rows; ++row) dotTile<1, Columns>(x + row * depth, weight, depth, out + row * stride, stride);
}

static inline void dotRowsOf(const float* x, std::int64_t rows, const float* weight, std::int64_t columns, std::int64_t depth, float* out, std::int64_t stride) {
  std::int64_t column = 0;
  for (; column + 4 <= columns; column += 4) dotColumns<4>(x, rows, weight + column * depth, depth, out + column, stride);
  for (; column < columns; ++column) dotColumns<1>(x, rows, weight + column * depth, depth, out + column, stride);
}

}  // namespace quantspot::quant
