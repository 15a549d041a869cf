#include "quant/kernels/pack4.h"

namespace quantspot::quant {
namespace {

void bytesToBf16(const std::uint8_t* codes, std::int64_t count, const Bf16* table, Bf16* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = table[codes[i]];
}

void bytesToFp32(const std::uint8_t* codes, std::int64_t count, const Bf16* table, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = widen(table[codes[i]]);
}

template <class Store>
void nibbles(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Store&& store) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = first + i;
    const int code = at % 2 ? packed[at / 2] & 15 : packed[at / 2] >> 4;
    store(i, roundToBf16(values[code] * absmax[at / blockOf4Bit]));
  }
}

void nibblesToBf16(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Bf16* to) {
  nibbles(packed, first, count, values, absmax, [to](std::int64_t i, Bf16 value) { to[i] = value; });
}

void nibblesToFp32(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, float* to) {
  nibbles(packed, first, count, values, absmax, [to](std::int64_t i, Bf16 value) { to[i] = widen(value); });
}

}  // namespace

const Kernels& portableKernels() {
  static const Kernels portable{bytesToBf16, bytesToFp32, nibblesToBf16, nibblesToFp32, packBlock};
  return portable;
}

}  // namespace quantspot::quant
