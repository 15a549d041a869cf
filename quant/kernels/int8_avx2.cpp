// Compiled with AVX2, FMA and F16C. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/int8_avx2.h"

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
#pragma GCC unroll 3
    for (int i = 0; i < Rows; ++i) a[i] = _mm256_cvtepi8_epi16(_mm_set1_epi32(fourCodes(codes + i * p.depth * panelDepth)));
#pragma GCC unroll 4
    for (int j = 0; j < words; ++j) {
      const __m256i w = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weight) + j));
#pragma GCC unroll 3
      for (int i = 0; i < Rows; ++i) sums[i][j] = _mm256_add_epi32(sums[i][j], _mm256_madd_epi16(w, a[i]));
    }
  }
#pragma GCC unroll 3
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < words; j += 2) {
      const __m256i pairs = _mm256_hadd_epi32(sums[i][j], sums[i][j + 1]);   // lanes 0 1 4 5 2 3 6 7
      finishEight(p, _mm256_permute4x64_epi64(pairs, 0xd8), row + i, panel * panelRows + j * lanesPerWord);
    }
}

void product(const Int8Product& p, std::int64_t first, std::int64_t last) {
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + 3 <= p.rows; row += 3) tile<3>(p, row, panel);
    for (; row < p.rows; ++row) tile<1>(p, row, panel);
  }
}

}  // namespace

const Int8Kernels* avx2Int8Kernels() {
  static const Int8Kernels avx2{rowScaleOf, quantizeRowOf, largestOf, quantizeByOf, quantizeOverOf, quantizeFromOf, product};
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? &avx2 : nullptr;
}

}  // namespace quantspot::quant
