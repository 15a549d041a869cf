// Compiled with AVX-512 F, BW, DQ, VL. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/gguf_expand.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

// bf16 in the high halves of 16 words.
inline __m512i rounded(__m512 values) {
  const __m512i bits = _mm512_castps_si512(values), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  return _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
}

struct Avx512Group {
  template <Make Kind, int Count, bool Offset>
  static inline void store(const std::int8_t* numbers, float scale, float offset, typename Made<Kind>::To* to) {
    const __m512 scales = _mm512_set1_ps(scale), offsets = _mm512_set1_ps(offset);
    for (int i = 0; i < Count; i += 16) {
      const __m512i words = _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers + i)));
      __m512 values = _mm512_mul_ps(scales, _mm512_cvtepi32_ps(words));
      if (Offset) values = _mm512_sub_ps(values, offsets);
      if constexpr (Kind == Make::Fp32)
        _mm512_storeu_ps(to + i, values);
      else if constexpr (Kind == Make::RoundedFp32)
        _mm512_storeu_si512(to + i, _mm512_and_si512(rounded(values), _mm512_set1_epi32(static_cast<int>(0xffff0000))));
      else
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded(values), 16)));
    }
  }
};

}  // namespace

const GgufKernels* avx512GgufKernels() {
  const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl");
  // The instruction for bf16 where there is one.
  static const GgufKernels chosen{kernelsOf<Avx512Group>.toFp32, avx512Bf16GgufToBf16() ? avx512Bf16GgufToBf16() : kernelsOf<Avx512Group>.toBf16,
                                  kernelsOf<Avx512Group>.toRounded};
  return supported ? &chosen : nullptr;
}

}  // namespace quantspot::quant
