// Compiled with AVX-512 F, BW, DQ, VL. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/dots.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

template <int Rows>
void some(const float* x, std::int64_t stride, const float* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  __m512 parts[Rows][dotRows] = {};
  for (std::int64_t k = 0; k < count; k += 16) {
    const __mmask16 lanes = count - k >= 16 ? 0xffff : static_cast<__mmask16>((1u << (count - k)) - 1);
    __m512 a[Rows];
#pragma GCC unroll 4
    for (int m = 0; m < Rows; ++m) a[m] = _mm512_maskz_loadu_ps(lanes, x + m * stride + k);
#pragma GCC unroll 4
    for (int r = 0; r < dotRows; ++r) {
      const __m512 b = _mm512_maskz_loadu_ps(lanes, weight + r * pitch + k);
#pragma GCC unroll 4
      for (int m = 0; m < Rows; ++m) parts[m][r] = _mm512_fmadd_ps(a[m], b, parts[m][r]);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < Rows; ++m)
#pragma GCC unroll 4
    for (int r = 0; r < dotRows; ++r) sums[m][r] += _mm512_reduce_add_ps(parts[m][r]);
}

void add(const float* x, std::int64_t stride, std::int64_t rows, const float* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  std::int64_t m = 0;
  for (; m + 4 <= rows; m += 4) some<4>(x + m * stride, stride, weight, pitch, count, sums + m);
  for (; m < rows; ++m) some<1>(x + m * stride, stride, weight, pitch, count, sums + m);
}

}  // namespace

AddDots avx512AddDots() {
  const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl");
  return supported ? add : nullptr;
}

}  // namespace quantspot::quant
