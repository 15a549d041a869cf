// Compiled with AVX2 and F16C. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/int8_rows.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

constexpr int lanesPerWord = 4;                           // weight rows in one register of 16-bit numbers
constexpr int words = panelRows / lanesPerWord;

// Widened to 16 bits, because the 8-bit multiply-add of AVX2 saturates. Each register ends as two partial sums per lane.
template <int Rows>
void tile(const Int8Product& p, std::int64_t row, std::int64_t panel) {
  __m256i sums[Rows][words] = {};
  const std::uint8_t* weight = p.panels + panel * p.depth * panelRows * panelDepth;
  const std::int8_t* codes = p.codes + row * p.depth * panelDepth;
  for (std::int64_t k = 0; k < p.depth; ++k, weight += panelRows * panelDepth, codes += panelDepth) {
    __m256i a[Rows];
#pragma GCC unroll 2
    for (int i = 0; i < Rows; ++i) {
      std::int32_t four;
      __builtin_memcpy(&four, codes + i * p.depth * panelDepth, sizeof four);
      a[i] = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
    }
#pragma GCC unroll 4
    for (int j = 0; j < words; ++j) {
      const __m256i w = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weight) + j));
#pragma GCC unroll 2
      for (int i = 0; i < Rows; ++i) sums[i][j] = _mm256_add_epi32(sums[i][j], _mm256_madd_epi16(w, a[i]));
    }
  }
  std::int32_t parts[2 * panelRows];
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < words; ++j) _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts) + j, sums[i][j]);
    for (std::int64_t lane = 0; lane < panelRows && panel * panelRows + lane < p.columns; ++lane)
      finishOne(p, parts[2 * lane] + parts[2 * lane + 1], row + i, panel * panelRows + lane);
  }
}

void product(const Int8Product& p, std::int64_t first, std::int64_t last) {
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + 2 <= p.rows; row += 2) tile<2>(p, row, panel);
    if (row < p.rows) tile<1>(p, row, panel);
  }
}

}  // namespace

const Int8Kernels* avx2Int8Kernels() {
  static const Int8Kernels avx2{rowScaleOf, quantizeRowOf, largestOf, quantizeByOf, quantizeOverOf, quantizeFromOf, product};
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") ? &avx2 : nullptr;
}

}  // namespace quantspot::quant
