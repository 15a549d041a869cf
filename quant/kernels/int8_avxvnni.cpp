// Compiled with AVX2, FMA, F16C and AVX-VNNI (desktop processors without AVX-512). No standard headers with code, as in avx512.cpp.
#include "quant/kernels/int8_avx2.h"

namespace quantspot::quant {
namespace {

constexpr int words = 2;   // registers of one panel at one place in K

// sum += u8 weights · s8 activations, four by four. Not the intrinsic, as in int8_avx512.cpp; VEX, because the assembler would pick AVX-512's form.
[[gnu::always_inline]] inline void accumulate(__m256i& sum, __m256i weight, __m256i activation) {
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(weight), "x"(activation));
}

// Rows × 2 accumulators stay in registers over the whole depth, which takes loops that are gone early.
template <int Rows>
void tile(const Int8Product& p, std::int64_t row, std::int64_t panel) {
  __m256i sums[Rows][words] = {};
  const auto* weight = reinterpret_cast<const __m256i*>(p.panels + panel * p.depth * panelRows * panelDepth);
  const std::int8_t* codes = p.codes + row * p.depth * panelDepth;
  for (std::int64_t k = 0; k < p.depth; ++k, weight += words, codes += panelDepth) {
    const __m256i w[words] = {_mm256_loadu_si256(weight), _mm256_loadu_si256(weight + 1)};
#pragma GCC unroll 6
    for (int i = 0; i < Rows; ++i) {
      const __m256i a = _mm256_set1_epi32(fourCodes(codes + i * p.depth * panelDepth));
#pragma GCC unroll 2
      for (int j = 0; j < words; ++j) accumulate(sums[i][j], w[j], a);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < words; ++j) finishEight(p, sums[i][j], row + i, panel * panelRows + 8 * j);
}

void product(const Int8Product& p, std::int64_t first, std::int64_t last) {
  constexpr int most = 6;   // 12 accumulators leave room for weight and activation
  for (std::int64_t panel = first; panel < last; ++panel) {
    std::int64_t row = 0;
    for (; row + most <= p.rows; row += most) tile<most>(p, row, panel);
    for (; row + 2 <= p.rows; row += 2) tile<2>(p, row, panel);
    if (row < p.rows) tile<1>(p, row, panel);
  }
}

}  // namespace

const Int8Kernels* avxVnniInt8Kernels() {
  static const Int8Kernels vnni{rowScaleOf, quantizeRowOf, largestOf, quantizeByOf, quantizeOverOf, quantizeFromOf, product};
  const bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
                         __builtin_cpu_supports("avxvnni");
  return supported ? &vnni : nullptr;
}

}  // namespace quantspot::quant
