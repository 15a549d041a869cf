// What the AVX2 and the AVX-VNNI product share. Static: each kernel file keeps the code that its own compiler flags gave.
#pragma once

#include "quant/kernels/int8_rows.h"

#include <immintrin.h>

namespace quantspot::quant {

// To the nearest bf16, in the high halves of words.
static inline __m256i roundedWords(__m256 value) {
  const __m256i bits = _mm256_castps_si256(value), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i sum = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  return _mm256_and_si256(sum, _mm256_set1_epi32(static_cast<int>(0xffff0000)));
}

static inline __m256 rounded(__m256 value) { return _mm256_castsi256_ps(roundedWords(value)); }

// Eight results of one row, in the order of operations of finishOne().
static inline void finishWhole(const Int8Product& p, __m256i sums, std::int64_t row, std::int64_t column) {
  const __m256 exact = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, _mm256_set1_epi32(128 * p.rowSum[row])));
  const __m256 rowScale = _mm256_set1_ps(p.rowScale[row]), scale = _mm256_loadu_ps(p.columnScale + column);
  const __m256 added = p.bias ? _mm256_loadu_ps(p.bias + column) : _mm256_setzero_ps();
  __m256 value = _mm256_setzero_ps();
  switch (p.finish) {
    case Int8Finish::Bnb:
      value = _mm256_mul_ps(_mm256_mul_ps(exact, _mm256_mul_ps(rowScale, scale)), _mm256_set1_ps(int8Unscale));
      break;
    case Int8Finish::TorchAo:
      value = _mm256_mul_ps(rounded(_mm256_mul_ps(exact, rowScale)), scale);
      break;
    case Int8Finish::Quanto:
      value = rounded(_mm256_mul_ps(exact, scale));
      break;
    case Int8Finish::Fbgemm:
      _mm256_storeu_ps(p.wide + row * p.columns + column, _mm256_fmadd_ps(exact, _mm256_mul_ps(rowScale, scale), added));
      return;
  }
  if (p.bias) value = _mm256_add_ps(value, added);
  const __m256i words = _mm256_srli_epi32(roundedWords(value), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p.out + row * p.columns + column), _mm256_castsi256_si128(packed));
}

// The same for as many of the eight as the result has.
static inline void finishEight(const Int8Product& p, __m256i sums, std::int64_t row, std::int64_t column) {
  if (column + 8 <= p.columns) return finishWhole(p, sums, row, column);
  alignas(32) std::int32_t parts[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(parts), sums);
  for (std::int64_t lane = 0; column + lane < p.columns; ++lane) finishOne(p, parts[lane], row, column + lane);
}

// Four neighbours in K of one row's codes.
static inline std::int32_t fourCodes(const std::int8_t* codes) {
  std::int32_t four;
  __builtin_memcpy(&four, codes, sizeof four);
  return four;
}

}  // namespace quantspot::quant
