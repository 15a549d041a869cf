// Compiled with AVX2 and FMA. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/dots.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

inline float total(__m256 parts) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(parts), _mm256_extractf128_ps(parts, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

template <int Rows>
void some(const float* x, std::int64_t stride, const float* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  __m256 parts[Rows][dotRows] = {};
  std::int64_t k = 0;
  for (; k + 8 <= count; k += 8) {
    __m256 a[Rows];
#pragma GCC unroll 3
    for (int m = 0; m < Rows; ++m) a[m] = _mm256_loadu_ps(x + m * stride + k);
#pragma GCC unroll 4
    for (int r = 0; r < dotRows; ++r) {
      const __m256 b = _mm256_loadu_ps(weight + r * pitch + k);
#pragma GCC unroll 3
      for (int m = 0; m < Rows; ++m) parts[m][r] = _mm256_fmadd_ps(a[m], b, parts[m][r]);
    }
  }
  for (int m = 0; m < Rows; ++m)
    for (int r = 0; r < dotRows; ++r) {
      float sum = total(parts[m][r]);
      for (std::int64_t i = k; i < count; ++i) sum += x[m * stride + i] * weight[r * pitch + i];
      sums[m][r] += sum;
    }
}

void add(const float* x, std::int64_t stride, std::int64_t rows, const float* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  std::int64_t m = 0;
  for (; m + 3 <= rows; m += 3) some<3>(x + m * stride, stride, weight, pitch, count, sums + m);   // 12 sums, 3 of x, 1 weight: all registers
  if (m + 2 == rows) some<2>(x + m * stride, stride, weight, pitch, count, sums + m);
  if (m + 1 == rows) some<1>(x + m * stride, stride, weight, pitch, count, sums + m);
}

}  // namespace

AddDots avx2AddDots() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? add : nullptr; }

}  // namespace quantspot::quant
