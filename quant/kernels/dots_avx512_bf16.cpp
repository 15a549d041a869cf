// Compiled with AVX-512 F, BW, DQ, VL and BF16. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/dots.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

inline __m512bh load(const Bf16* from, __mmask32 lanes) { return reinterpret_cast<__m512bh>(_mm512_maskz_loadu_epi16(lanes, from)); }

template <int Rows>
void some(const Bf16* x, std::int64_t stride, const Bf16* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  __m512 parts[Rows][dotRows] = {};
  for (std::int64_t k = 0; k < count; k += 32) {
    const __mmask32 lanes = count - k >= 32 ? 0xffffffff : (1u << (count - k)) - 1;
    __m512bh a[Rows];
#pragma GCC unroll 4
    for (int m = 0; m < Rows; ++m) a[m] = load(x + m * stride + k, lanes);
#pragma GCC unroll 4
    for (int r = 0; r < dotRows; ++r) {
      const __m512bh b = load(weight + r * pitch + k, lanes);
#pragma GCC unroll 4
      for (int m = 0; m < Rows; ++m) parts[m][r] = _mm512_dpbf16_ps(parts[m][r], a[m], b);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < Rows; ++m)
#pragma GCC unroll 4
    for (int r = 0; r < dotRows; ++r) sums[m][r] += _mm512_reduce_add_ps(parts[m][r]);
}

void add(const Bf16* x, std::int64_t stride, std::int64_t rows, const Bf16* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  std::int64_t m = 0;
  for (; m + 4 <= rows; m += 4) some<4>(x + m * stride, stride, weight, pitch, count, sums + m);
  for (; m < rows; ++m) some<1>(x + m * stride, stride, weight, pitch, count, sums + m);
}

}  // namespace

AddBf16Dots avx512AddBf16Dots() { return __builtin_cpu_supports("avx512bf16") ? add : nullptr; }

}  // namespace quantspot::quant
