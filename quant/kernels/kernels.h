// The inner loops, in plain pointers and without torch, so that each file can be compiled for its instruction set.
// Every variant of a kernel gives the same bits. Ranges never overlap; pointers need no alignment.
#pragma once

#include <cstdint>

namespace quantspot::quant {

using Bf16 = std::uint16_t;  // the bits

inline constexpr std::int64_t blockOf4Bit = 64;  // elements that share one scale, or a part of them

struct Kernels {
  // to[i] = table[codes[i]]; table has 256 bf16 values of which the upper half is the lower one negated.
  void (*bytesToBf16)(const std::uint8_t* codes, std::int64_t count, const Bf16* table, Bf16* to);
  void (*bytesToFp32)(const std::uint8_t* codes, std::int64_t count, const Bf16* table, float* to);

  // Elements first … first+count−1 of a flattened 4-bit weight, the even one of a byte in its high nibble:
  // to[i] = bf16(values[code] · absmax[element / 64]). `packed` and `absmax` begin at element 0.
  void (*nibblesToBf16)(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, Bf16* to);
  void (*nibblesToFp32)(const std::uint8_t* packed, std::int64_t first, std::int64_t count, const float* values, const float* absmax, float* to);

  // to[i] = codes[i], exactly.
  void (*signedToBf16)(const std::int8_t* codes, std::int64_t count, Bf16* to);
  void (*signedToFp32)(const std::int8_t* codes, std::int64_t count, float* to);

  // values[i] = bf16(values[i] · scale), in place.
  void (*scaleBf16)(Bf16* values, std::int64_t count, float scale);
  void (*scaleFp32)(float* values, std::int64_t count, float scale);

  // to[i] = table[(bytes[i] >> shift) & mask]; table has 16 floats, which the bf16 form rounds; mask is 3 or 15.
  void (*fieldsToBf16)(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, Bf16* to);
  void (*fieldsToFp32)(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const float* table, float* to);

  // high[i] = bf16(values[i]), low[i] = bf16(values[i] − high[i]).
  void (*split)(const float* values, std::int64_t count, Bf16* high, Bf16* low);

  // At most 64 finite values to codes; `order` and `bounds` as in FourBitMap, `scale` above 0, `whole`: of a block that is not cut.
  void (*packNibbles)(const Bf16* weight, std::int64_t count, float scale, bool whole, const float* bounds, const std::uint8_t* order,
                      std::uint8_t* packed);
};

const Kernels& kernels();            // the fastest for this CPU
const Kernels& portableKernels();
const Kernels* avx2Kernels();        // null when not built or not supported
const Kernels* avx512Kernels();      // the same

}  // namespace quantspot::quant
