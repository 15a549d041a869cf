// Compiled with AVX-512 F, BW, DQ, VL. No standard headers with code: an inline function compiled here could be picked by
// the linker for a CPU that lacks these instructions.
#include "quant/kernels/loops.h"
#include "quant/kernels/pack4.h"

#include <immintrin.h>

namespace quantspot::quant {
namespace {

// 128 words looked up by their low seven bits, the sign bit of the code moved to the top.
struct SignedTable {
  __m512i words[4];

  explicit SignedTable(const Bf16* table) {
    for (int i = 0; i < 4; ++i) words[i] = _mm512_loadu_si512(table + 32 * i);
  }
  __m512i operator()(__m256i codes) const {
    const __m512i index = _mm512_cvtepu8_epi16(codes);
    const __m512i low = _mm512_permutex2var_epi16(words[0], index, words[1]), high = _mm512_permutex2var_epi16(words[2], index, words[3]);
    const __m512i magnitude = _mm512_mask_blend_epi16(_mm512_test_epi16_mask(index, _mm512_set1_epi16(64)), low, high);
    const __m512i sign = _mm512_slli_epi16(_mm512_and_si512(index, _mm512_set1_epi16(128)), 8);
    return _mm512_or_si512(magnitude, sign);
  }
};

void bytesToBf16(const std::uint8_t* codes, std::int64_t count, const Bf16* table, Bf16* to) {
  const SignedTable lookup(table);
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) _mm512_storeu_si512(to + i, lookup(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i))));
  for (; i < count; ++i) to[i] = table[codes[i]];
}

inline __m512i widenWords(__m256i words) { return _mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16); }

void bytesToFp32(const std::uint8_t* codes, std::int64_t count, const Bf16* table, float* to) {
  const SignedTable lookup(table);
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512i words = lookup(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + i)));
    _mm512_storeu_si512(to + i, widenWords(_mm512_castsi512_si256(words)));
    _mm512_storeu_si512(to + i + 16, widenWords(_mm512_extracti64x4_epi64(words, 1)));
  }
  for (; i < count; ++i) to[i] = widen(table[codes[i]]);
}

// The 16 values of one block, rounded to bf16, in the high halves of 16 words of 32 bits.
inline __m512i blockValues(__m512 values, float absmax) {
  const __m512i bits = _mm512_castps_si512(_mm512_mul_ps(values, _mm512_set1_ps(absmax)));
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  return _mm512_and_si512(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), _mm512_set1_epi32(static_cast<int>(0xffff0000)));
}

void blockToBf16(const std::uint8_t* packed, __m512i values, Bf16* to) {
  const __m512i table = _mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_srli_epi32(values, 16)));
  for (int half = 0; half < 2; ++half) {
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(packed + 16 * half)));
    const __m512i low = _mm512_and_si512(_mm512_slli_epi32(bytes, 16), _mm512_set1_epi32(0xf0000));
    const __m512i index = _mm512_or_si512(_mm512_srli_epi32(bytes, 4), low);
    _mm512_storeu_si512(to + 32 * half, _mm512_permutexvar_epi16(index, table));
  }
}

void blockToFp32(const std::uint8_t* packed, __m512i values, float* to) {
  for (int part = 0; part < 4; ++part) {
    const __m512i bytes = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(packed + 8 * part)));
    const __m512i low = _mm512_slli_epi64(_mm512_and_si512(bytes, _mm512_set1_epi64(15)), 32);
    const __m512i index = _mm512_or_si512(_mm512_srli_epi64(bytes, 4), low);
    _mm512_storeu_si512(to + 16 * part, _mm512_permutexvar_epi32(index, values));
  }
}

// Whole blocks by `block`, the cut ones at both ends by the portable kernel.
template <class To, class Block>
void nibbles(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, To* to,
             void (*portable)(const std::uint8_t*, std::int64_t, std::int64_t, const float*, const float*, To*), Block&& block) {
  const __m512 table = _mm512_loadu_ps(values);
  const std::int64_t end = first + count;
  std::int64_t at = (first + blockOf4Bit - 1) / blockOf4Bit * blockOf4Bit;
  if (at > end) at = end;
  if (at > first) portable(packed, first, at - first, values, absmax, to);
  for (; at + blockOf4Bit <= end; at += blockOf4Bit) block(packed + at / 2, blockValues(table, absmax[at / blockOf4Bit]), to + (at - first));
  if (at < end) portable(packed, at, end - at, values, absmax, to + (at - first));
}

void nibblesToBf16(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Bf16* to) {
  nibbles(packed, first, count, values, absmax, to, portableKernels().nibblesToBf16, blockToBf16);
}

void nibblesToFp32(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, float* to) {
  nibbles(packed, first, count, values, absmax, to, portableKernels().nibblesToFp32, blockToFp32);
}

// 16 fields of one byte each, as places in a table of 16: of the word that a lookup gets, it reads the lowest four bits.
template <bool Nibbles>
inline __m512i fields(const std::uint8_t* bytes, __m128i shift, __m512i mask) {
  const __m512i words = _mm512_srl_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))), shift);
  return Nibbles ? words : _mm512_and_si512(words, mask);
}

// Groups are short: as much as can be is outside of the loop, which takes 32 fields at a time. Returns how many it took.
template <bool Nibbles, class Store>
inline std::int64_t forFields(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, Store&& store) {
  const __m512i kept = _mm512_set1_epi32(mask);
  const __m128i by = _mm_cvtsi32_si128(shift);
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512i first = fields<Nibbles>(bytes + i, by, kept), second = fields<Nibbles>(bytes + i + 16, by, kept);
    store(i, first);
    store(i + 16, second);
  }
  for (; i + 16 <= count; i += 16) store(i, fields<Nibbles>(bytes + i, by, kept));
  return i;
}

template <class Store>
inline std::int64_t eachSixteen(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, Store&& store) {
  return mask == 15 ? forFields<true>(bytes, count, shift, mask, store) : forFields<false>(bytes, count, shift, mask, store);
}

void fieldsToFp32(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, float* to) {
  const __m512 values = _mm512_loadu_ps(table);
  const auto store = [&](std::int64_t i, __m512i places) { _mm512_storeu_ps(to + i, _mm512_permutexvar_ps(places, values)); };
  const std::int64_t done = eachSixteen(bytes, count, shift, mask, store);
  if (done < count) bitFields(bytes + done, count - done, shift, mask, table, to + done);
}

void fieldsToBf16(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, Bf16* to) {
  const __m512i values = _mm512_srli_epi32(blockValues(_mm512_loadu_ps(table), 1), 16);
  const auto store = [&](std::int64_t i, __m512i places) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm512_cvtepi32_epi16(_mm512_permutexvar_epi32(places, values)));
  };
  const std::int64_t done = eachSixteen(bytes, count, shift, mask, store);
  if (done < count) bitFields(bytes + done, count - done, shift, mask, table, to + done);
}

}  // namespace

const Kernels* avx512Kernels() {
  static const Kernels avx512{bytesToBf16, bytesToFp32, nibblesToBf16, nibblesToFp32, signedBytes<Bf16>, signedBytes<float>, scaleBf16,
                              scaleFp32, fieldsToBf16, fieldsToFp32, splitOf, packPart};
  const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512vl");
  return supported ? &avx512 : nullptr;
}

}  // namespace quantspot::quant
