// Compiled with AVX2. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/loops.h"
#include "quant/kernels/pack4.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

inline void storeWords(__m128i words, Bf16* to) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), words); }
inline void storeWords(__m128i words, float* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
}

// 16 bf16 values, their low and their high bytes apart: the byte shuffle looks up 16 places at once.
struct WordTable {
  __m128i low, high;

  // Of 16 words in two registers.
  WordTable(__m128i first, __m128i second) {
    const __m128i bytes = _mm_set1_epi16(255);
    low = _mm_packus_epi16(_mm_and_si128(first, bytes), _mm_and_si128(second, bytes));
    high = _mm_packus_epi16(_mm_srli_epi16(first, 8), _mm_srli_epi16(second, 8));
  }

  // 16 places, each below 16 → 16 values.
  template <class To>
  void operator()(__m128i places, To* to) const {
    const __m128i lows = _mm_shuffle_epi8(low, places), highs = _mm_shuffle_epi8(high, places);
    storeWords(_mm_unpacklo_epi8(lows, highs), to);
    storeWords(_mm_unpackhi_epi8(lows, highs), to + 8);
  }
};

// values · factor, rounded to bf16.
inline WordTable roundedTable(const float* values, float factor) {
  __m256i words[2];
  for (int i = 0; i < 2; ++i) {
    const __m256i bits = _mm256_castps_si256(_mm256_mul_ps(_mm256_loadu_ps(values + 8 * i), _mm256_set1_ps(factor)));
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    words[i] = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  }
  const __m256i ordered = _mm256_permute4x64_epi64(_mm256_packus_epi32(words[0], words[1]), 0xd8);
  return {_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1)};
}

inline __m128i load16(const std::uint8_t* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

// The 64 elements of one block.
template <class To>
void block(const std::uint8_t* packed, const WordTable& table, To* to) {
  const __m128i nibble = _mm_set1_epi8(15);
  for (int half = 0; half < 2; ++half, packed += 16, to += 32) {
    const __m128i bytes = load16(packed), even = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble), odd = _mm_and_si128(bytes, nibble);
    table(_mm_unpacklo_epi8(even, odd), to);
    table(_mm_unpackhi_epi8(even, odd), to + 16);
  }
}

// Whole blocks by block(), the cut ones at both ends by the portable kernel.
template <class To>
void nibbles(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, To* to,
             void (*portable)(const std::uint8_t*, std::int64_t, std::int64_t, const float*, const float*, To*)) {
  const std::int64_t end = first + count;
  std::int64_t at = (first + blockOf4Bit - 1) / blockOf4Bit * blockOf4Bit;
  if (at > end) at = end;
  if (at > first) portable(packed, first, at - first, values, absmax, to);
  for (; at + blockOf4Bit <= end; at += blockOf4Bit) block(packed + at / 2, roundedTable(values, absmax[at / blockOf4Bit]), to + (at - first));
  if (at < end) portable(packed, at, end - at, values, absmax, to + (at - first));
}

void nibblesToBf16(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Bf16* to) {
  nibbles(packed, first, count, values, absmax, to, portableKernels().nibblesToBf16);
}

void nibblesToFp32(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, float* to) {
  nibbles(packed, first, count, values, absmax, to, portableKernels().nibblesToFp32);
}

void fieldsToBf16(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, Bf16* to) {
  const WordTable values = roundedTable(table, 1);
  const __m128i kept = _mm_set1_epi8(static_cast<char>(mask)), by = _mm_cvtsi32_si128(shift);
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) values(_mm_and_si128(_mm_srl_epi16(load16(bytes + i), by), kept), to + i);
  bitFields(bytes + i, count - i, shift, mask, table, to + i);
}

void fieldsToFp32(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, float* to) {
  const __m256 low = _mm256_loadu_ps(table), high = _mm256_loadu_ps(table + 8);
  const __m256i kept = _mm256_set1_epi32(mask);
  const __m128i by = _mm_cvtsi32_si128(shift);
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256i words = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + i)));
    const __m256i places = _mm256_and_si256(_mm256_srl_epi32(words, by), kept);
    const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(places, 28));   // its sign: whether the place is 8 or above
    _mm256_storeu_ps(to + i, _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, places), _mm256_permutevar8x32_ps(high, places), upper));
  }
  bitFields(bytes + i, count - i, shift, mask, table, to + i);
}

// 128 words looked up by the low seven bits of a code, whose sign bit moves to the top: eight tables of 16, of which seven give nothing.
class SignedTable {
 public:
  explicit SignedTable(const Bf16* table) {
    const auto words = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 8 * i)); };
    for (int i = 0; i < parts; ++i) {
      const WordTable part(words(2 * i), words(2 * i + 1));
      low_[i] = _mm256_broadcastsi128_si256(part.low);
      high_[i] = _mm256_broadcastsi128_si256(part.high);
    }
  }

  // 32 codes.
  template <class To>
  void operator()(const std::uint8_t* codes, To* to) const {
    const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)), sign = _mm256_set1_epi8(-128);
    __m256i place = _mm256_andnot_si256(sign, all), low = _mm256_setzero_si256(), high = _mm256_and_si256(all, sign);
    for (int i = 0; i < parts; ++i, place = _mm256_sub_epi8(place, _mm256_set1_epi8(16))) {
      const __m256i here = _mm256_adds_epu8(place, _mm256_set1_epi8(0x70));   // beyond this table: the top bit, which the shuffle makes zero
      low = _mm256_or_si256(low, _mm256_shuffle_epi8(low_[i], here));
      high = _mm256_or_si256(high, _mm256_shuffle_epi8(high_[i], here));
    }
    const __m256i even = _mm256_unpacklo_epi8(low, high), odd = _mm256_unpackhi_epi8(low, high);
    storeWords(_mm256_castsi256_si128(even), to);
    storeWords(_mm256_castsi256_si128(odd), to + 8);
    storeWords(_mm256_extracti128_si256(even, 1), to + 16);
    storeWords(_mm256_extracti128_si256(odd, 1), to + 24);
  }

 private:
  static constexpr int parts = 8;
  __m256i low_[parts], high_[parts];
};

template <class To>
void bytes(const std::uint8_t* codes, std::int64_t count, const Bf16* table, To* to, void (*rest)(const std::uint8_t*, std::int64_t, const Bf16*, To*)) {
  const SignedTable lookup(table);
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) lookup(codes + i, to + i);
  rest(codes + i, count - i, table, to + i);
}

void bytesToBf16(const std::uint8_t* codes, std::int64_t count, const Bf16* table, Bf16* to) { bytes(codes, count, table, to, bytesToBf16Of); }
void bytesToFp32(const std::uint8_t* codes, std::int64_t count, const Bf16* table, float* to) { bytes(codes, count, table, to, bytesToFp32Of); }

}  // namespace

const Kernels* avx2Kernels() {
  static const Kernels avx2{bytesToBf16, bytesToFp32, nibblesToBf16, nibblesToFp32, signedBytes<Bf16>, signedBytes<float>, scaleBf16,
                            scaleFp32, fieldsToBf16, fieldsToFp32, splitOf, packPart};
  return __builtin_cpu_supports("avx2") ? &avx2 : nullptr;
}

}  // namespace quantspot::quant
