// Compiled with AVX-512 F, BW, DQ, VL and VNNI. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/int8_rows.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

inline __mmask16 firstLanes(std::int64_t count) { return count >= 16 ? 0xffff : static_cast<__mmask16>((1u << count) - 1); }

// 16 bf16 as fp32, rounded to fp16 on the way.
inline __m512 loadThroughHalf(const Bf16* x, __mmask16 lanes) {
  const __m512i words = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, x));
  const __m512 wide = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
  return _mm512_cvtph_ps(_mm512_cvtps_ph(wide, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

float rowScale(const Bf16* x, std::int64_t count, float threshold, std::uint8_t* outliers) {
  const __m512 limit = _mm512_set1_ps(threshold > 0 ? threshold : __builtin_inff());
  __m512 largest = _mm512_setzero_ps();
  unsigned notNumbers = 0;
  for (std::int64_t i = 0; i < count; i += 16) {
    const __m512 magnitude = _mm512_abs_ps(loadThroughHalf(x + i, firstLanes(count - i)));
    const __mmask16 above = threshold > 0 ? _mm512_cmp_ps_mask(magnitude, limit, _CMP_GE_OQ) : 0;
    for (unsigned left = above; left; left &= left - 1) __atomic_store_n(outliers + i + __builtin_ctz(left), 1, __ATOMIC_RELAXED);
    largest = _mm512_mask_max_ps(largest, static_cast<__mmask16>(~above), largest, magnitude);
    notNumbers |= _mm512_cmp_ps_mask(magnitude, magnitude, _CMP_UNORD_Q);
  }
  return notNumbers ? __builtin_nanf("") : _mm512_reduce_max_ps(largest);
}

std::int32_t quantizeRow(const Bf16* x, std::int64_t count, float scale, const std::uint8_t* outliers, std::int8_t* codes) {
  const __m512 factor = _mm512_set1_ps(1.0f / scale * 127.0f);
  __m512i sum = _mm512_setzero_si512();
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 lanes = firstLanes(count - i);
    __mmask16 kept = scale > 0 ? lanes : 0;
    if (outliers) kept = _mm_mask_testn_epi8_mask(kept, _mm_maskz_loadu_epi8(lanes, outliers + i), _mm_set1_epi8(-1));
    const __m512i words = _mm512_maskz_cvtps_epi32(kept, _mm512_mul_ps(loadThroughHalf(x + i, lanes), factor));
    sum = _mm512_add_epi32(sum, words);
    _mm_mask_storeu_epi8(codes + i, lanes, _mm512_cvtepi32_epi8(words));
  }
  return _mm512_reduce_add_epi32(sum);
}

// To the nearest bf16, in the high halves of words.
inline __m512i roundedWords(__m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  return _mm512_and_si512(sum, _mm512_set1_epi32(static_cast<int>(0xffff0000)));
}

inline __m512 rounded(__m512 value) { return _mm512_castsi512_ps(roundedWords(value)); }

// out row, one panel: scales, bias, rounding, in the order of finishOne().
inline void finish(const Int8Product& p, __m512i sums, std::int64_t row, std::int64_t panel) {
  const std::int64_t column = panel * panelRows;
  const __mmask16 lanes = firstLanes(p.columns - column);
  const __m512 exact = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums, _mm512_set1_epi32(128 * p.rowSum[row])));
  const __m512 rowScale = _mm512_set1_ps(p.rowScale[row]), scale = _mm512_maskz_loadu_ps(lanes, p.columnScale + column);
  const __m512 added = p.bias ? _mm512_maskz_loadu_ps(lanes, p.bias + column) : _mm512_setzero_ps();
  __m512 value = _mm512_setzero_ps();
  switch (p.finish) {
    case Int8Finish::Bnb:
      value = _mm512_mul_ps(_mm512_mul_ps(exact, _mm512_mul_ps(rowScale, scale)), _mm512_set1_ps(int8Unscale));
      break;
    case Int8Finish::TorchAo:
      value = _mm512_mul_ps(rounded(_mm512_mul_ps(exact, rowScale)), scale);
      break;
    case Int8Finish::Quanto:
      value = rounded(_mm512_mul_ps(exact, scale));
      break;
    case Int8Finish::Fbgemm:
      _mm512_mask_storeu_ps(p.wide + row * p.columns + column, lanes, _mm512_fmadd_ps(exact, _mm512_mul_ps(rowScale, scale), added));
      return;
  }
  if (p.bias) value = _mm512_add_ps(value, added);
  _mm256_mask_storeu_epi16(p.out + row * p.columns + column, lanes, _mm512_cvtepi32_epi16(_mm512_srli_epi32(roundedWords(value), 16)));
}

// sum += u8 weights · s8 activations, four by four. Not the intrinsic: g++ 12 copies the sum before each call and then
// runs out of registers.
[[gnu::always_inline]] inline void accumulate(__m512i& sum, __m512i weight, __m512i activation) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(weight), "v"(activation));
}

// Rows × Panels accumulators stay in registers over the whole depth, which takes loops that are gone early.
template <int Rows, int Panels>
void tile(const Int8Product& p, std::int64_t row, std::int64_t panel) {
  constexpr std::int64_t step = panelRows * panelDepth;
  __m512i sums[Rows][Panels] = {};
  const std::uint8_t* weight = p.panels + panel * p.depth * step;
  const std::int8_t* codes = p.codes + row * p.depth * panelDepth;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    __m512i w[Panels];
#pragma GCC unroll 4
    for (int j = 0; j < Panels; ++j) w[j] = _mm512_loadu_si512(weight + (j * p.depth + k) * step);
#pragma GCC unroll 12
    for (int i = 0; i < Rows; ++i) {
      std::int32_t four;
      __builtin_memcpy(&four, codes + (i * p.depth + k) * panelDepth, sizeof four);
      const __m512i a = _mm512_set1_epi32(four);
#pragma GCC unroll 4
      for (int j = 0; j < Panels; ++j) accumulate(sums[i][j], w[j], a);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Panels; ++j) finish(p, sums[i][j], row + i, panel + j);
}

template <int Panels>
void columns(const Int8Product& p, std::int64_t panel) {
  constexpr int most = 24 / Panels > 12 ? 12 : 24 / Panels;  // 24 accumulators leave room for weight and activation
  std::int64_t row = 0;
  for (; row + most <= p.rows; row += most) tile<most, Panels>(p, row, panel);
  for (; row + 2 <= p.rows; row += 2) tile<2, Panels>(p, row, panel);
  if (row < p.rows) tile<1, Panels>(p, row, panel);
}

void product(const Int8Product& p, std::int64_t first, std::int64_t last) {
  std::int64_t panel = first;
  for (; panel + 4 <= last; panel += 4) columns<4>(p, panel);
  for (; panel < last; ++panel) columns<1>(p, panel);
}

}  // namespace

const Int8Kernels* avx512Int8Kernels() {
  static const Int8Kernels avx512{rowScale, quantizeRow, largestOf, quantizeByOf, quantizeOverOf, quantizeFromOf, product};
  const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  return supported ? &avx512 : nullptr;
}

}  // namespace quantspot::quant
