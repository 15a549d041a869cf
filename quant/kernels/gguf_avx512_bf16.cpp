// Compiled with AVX-512 F, BW, DQ, VL and BF16. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/gguf_expand.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

// The instruction makes zero of subnormal numbers, which no block format has: its scales are fp16 times whole numbers. A plain
// F32 may, and goes the common way.
struct Bf16Group {
  template <bool Offset>
  static inline __m512 sixteen(const std::int8_t* numbers, __m512 scale, __m512 offset) {
    const __m512i words = _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers)));
    const __m512 product = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(words));
    return Offset ? _mm512_sub_ps(product, offset) : product;
  }

  template <Make Kind, int Count, bool Offset>
  static inline void store(const std::int8_t* numbers, float scale, float offset, Bf16* to) {
    const __m512 scales = _mm512_set1_ps(scale), offsets = _mm512_set1_ps(offset);
    if constexpr (Count % 32 == 0) {
      for (int i = 0; i < Count; i += 32) {
        const __m512bh both = _mm512_cvtne2ps_pbh(sixteen<Offset>(numbers + i + 16, scales, offsets), sixteen<Offset>(numbers + i, scales, offsets));
        _mm512_storeu_si512(to + i, reinterpret_cast<__m512i>(both));
      }
    } else {
      for (int i = 0; i < Count; i += 16) {
        const __m256bh one = _mm512_cvtneps_pbh(sixteen<Offset>(numbers + i, scales, offsets));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), reinterpret_cast<__m256i>(one));
      }
    }
  }
};

}  // namespace

GgufToBf16 avx512Bf16GgufToBf16() { return __builtin_cpu_supports("avx512bf16") ? expandGguf<Make::Bf16, Bf16Group> : nullptr; }

}  // namespace quantspot::quant
