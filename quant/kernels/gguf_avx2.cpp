// Compiled with AVX2. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/gguf_expand.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

// bf16 in the high halves of eight words.
inline __m256i rounded(__m256 values) {
  const __m256i bits = _mm256_castps_si256(values), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  return _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
}

struct Avx2Group {
  template <bool Offset>
  static inline __m256 eight(const std::int8_t* numbers, __m256 scale, __m256 offset) {
    const __m256i words = _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(numbers)));
    const __m256 product = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(words));
    return Offset ? _mm256_sub_ps(product, offset) : product;
  }

  template <Make Kind, int Count, bool Offset>
  static inline void store(const std::int8_t* numbers, float scale, float offset, typename Made<Kind>::To* to) {
    const __m256 scales = _mm256_set1_ps(scale), offsets = _mm256_set1_ps(offset);
    for (int i = 0; i < Count; i += 16) {
      const __m256 a = eight<Offset>(numbers + i, scales, offsets), b = eight<Offset>(numbers + i + 8, scales, offsets);
      if constexpr (Kind == Make::Fp32) {
        _mm256_storeu_ps(to + i, a);
        _mm256_storeu_ps(to + i + 8, b);
      } else if constexpr (Kind == Make::RoundedFp32) {
        const __m256i high = _mm256_set1_epi32(static_cast<int>(0xffff0000));
        _mm256_storeu_ps(to + i, _mm256_castsi256_ps(_mm256_and_si256(rounded(a), high)));
        _mm256_storeu_ps(to + i + 8, _mm256_castsi256_ps(_mm256_and_si256(rounded(b), high)));
      } else {
        const __m256i words = _mm256_packus_epi32(_mm256_srli_epi32(rounded(a), 16), _mm256_srli_epi32(rounded(b), 16));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_permute4x64_epi64(words, 0xd8));   // back in order
      }
    }
  }
};

}  // namespace

const GgufKernels* avx2GgufKernels() { return __builtin_cpu_supports("avx2") ? &kernelsOf<Avx2Group> : nullptr; }

}  // namespace quantspot::quant
