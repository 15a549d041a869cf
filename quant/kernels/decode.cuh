// From packed weights to values, for devices: the same arithmetic and roundings as the CPU's, in the same order. A decoder gives
//   at(row, column)            one value, as the CPU's product takes it in fp32;
//   eight(row, column, to)     eight of a row, where whole() and column is a multiple of 8;
//   whole()                    whether rows are runs of eight that lie as eight() reads them; with onlyRuns they always are, and
//                              neither this nor at() is there.
// Compiled without contraction: a fused multiply-add rounds once less.
#pragma once

#include "quant/kernels/device_weight.h"
#include "quant/kernels/rounding.h"

namespace quantspot::quant {

inline constexpr int runLength = 8;

// The value rounded to bf16. NaN stays NaN.
QUANTSPOT_HD inline float bf16Of(float value) {
#ifdef __CUDA_ARCH__
  unsigned short bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return widen(bits);
#else
  return widen(roundToBf16(value));
#endif
}

// The bits of bf16(value).
QUANTSPOT_HD inline std::uint32_t bitsOfBf16(float value) { return __builtin_bit_cast(std::uint32_t, bf16Of(value)) >> 16; }

// Bytes that are loaded together; `Alignment` of the first is 2 or 8.
template <int Alignment>
class EightBytes {
 public:
  QUANTSPOT_HD explicit EightBytes(const std::uint8_t* from) {
    if constexpr (Alignment == 8) {
      __builtin_memcpy(word_, __builtin_assume_aligned(from, 8), sizeof word_);
    } else {
      std::uint16_t half[4];
      for (int i = 0; i < 4; ++i) __builtin_memcpy(half + i, __builtin_assume_aligned(from + 2 * i, 2), 2);
      for (int i = 0; i < 2; ++i) word_[i] = half[2 * i] | static_cast<std::uint32_t>(half[2 * i + 1]) << 16;
    }
  }
  QUANTSPOT_HD int operator[](int i) const { return static_cast<int>(word_[i / 4] >> 8 * (i % 4) & 255); }

 private:
  std::uint32_t word_[2];
};

QUANTSPOT_HD inline bool isAligned(const void* pointer, std::uintptr_t bytes) { return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0; }

struct FourBitDecoder {
  static constexpr bool onlyRuns = false;
  const DeviceWeight& w;
  const float* table;  // w.table or a faster copy

  QUANTSPOT_HD bool whole() const { return w.columns % runLength == 0 && isAligned(w.codes, 4); }

  QUANTSPOT_HD float scaleOf(std::int64_t element) const {
    const std::int64_t block = element >> w.blockShift;
    if (!w.scaleCodes) return static_cast<const float*>(w.scales)[block];
    return w.nestedMap[w.scaleCodes[block]] * w.nested[block >> 8] + *w.offset;
  }
  QUANTSPOT_HD float at(std::int64_t row, std::int64_t column) const {
    const std::int64_t element = row * w.columns + column;
    const int byte = w.codes[element >> 1];
    return bf16Of(table[element & 1 ? byte & 15 : byte >> 4] * scaleOf(element));
  }
  QUANTSPOT_HD void eight(std::int64_t row, std::int64_t column, float* to) const {
    const std::int64_t element = row * w.columns + column;
    std::uint32_t packed;
    __builtin_memcpy(&packed, __builtin_assume_aligned(w.codes + (element >> 1), 4), sizeof packed);
    const float scale = scaleOf(element);
    for (int i = 0; i < runLength; i += 2) {
      to[i] = bf16Of(table[packed >> (4 * i + 4) & 15] * scale);
      to[i + 1] = bf16Of(table[packed >> 4 * i & 15] * scale);
    }
  }
};

// Without scale: exact. e4m3fn has no infinity, and its NaN is 0x7f.
QUANTSPOT_HD inline float e4m3Of(std::uint8_t code) {
  const std::uint32_t sign = static_cast<std::uint32_t>(code & 0x80) << 24, rest = code & 0x7f;
  if (rest == 0x7f) return __builtin_bit_cast(float, 0x7fc00000u);
  const float magnitude = rest < 8 ? static_cast<float>(rest) * 0x1p-9f : __builtin_bit_cast(float, (rest << 20) + (120u << 23));
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, magnitude));
}

// The upper half of an fp16 number.
QUANTSPOT_HD inline float e5m2Of(std::uint8_t code) {
  if ((code & 0x7f) > 0x7c) return __builtin_bit_cast(float, 0x7fc00000u);
  const std::uint32_t sign = static_cast<std::uint32_t>(code & 0x80) << 24, rest = code & 0x7f;
  if (rest == 0x7c) return __builtin_bit_cast(float, sign | 0x7f800000u);
  const float magnitude = rest < 4 ? static_cast<float>(rest) * 0x1p-16f : __builtin_bit_cast(float, (rest << 21) + (112u << 23));
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(std::uint32_t, magnitude));
}

struct BytesDecoder {
  static constexpr bool onlyRuns = false;
  const DeviceWeight& w;

  QUANTSPOT_HD bool whole() const { return w.columns % runLength == 0 && isAligned(w.codes, 8); }

  QUANTSPOT_HD float scaleOf(std::int64_t row) const {
    return w.rowScale == RowScale::Fp32 ? static_cast<const float*>(w.scales)[row] : widen(static_cast<const std::uint16_t*>(w.scales)[row]);
  }
  QUANTSPOT_HD float codeOf(std::uint8_t byte) const {
    if (w.byteCode == ByteCode::Signed) return static_cast<float>(static_cast<std::int8_t>(byte));
    return w.byteCode == ByteCode::E4m3 ? e4m3Of(byte) : e5m2Of(byte);
  }
  QUANTSPOT_HD float at(std::int64_t row, std::int64_t column) const {
    const float code = codeOf(w.codes[row * w.columns + column]);
    return w.rowScale == RowScale::None ? code : bf16Of(code * scaleOf(row));
  }
  QUANTSPOT_HD void eight(std::int64_t row, std::int64_t column, float* to) const {
    const EightBytes<8> packed(w.codes + row * w.columns + column);
    for (int i = 0; i < runLength; ++i) to[i] = codeOf(static_cast<std::uint8_t>(packed[i]));
    if (w.rowScale == RowScale::None) return;
    const float scale = scaleOf(row);
    for (int i = 0; i < runLength; ++i) to[i] = bf16Of(to[i] * scale);
  }
};

// Scale and midpoint of a group, which give (code − 8) · scale + midpoint in fp32.
struct Midpoint {
  float scale, middle;
  QUANTSPOT_HD Midpoint(const DeviceWeight& w, std::int64_t row, std::int64_t groupOfRow)
      : scale(widen(w.pairs[(groupOfRow * w.rows + row) * 2])), middle(widen(w.pairs[(groupOfRow * w.rows + row) * 2 + 1])) {}
  QUANTSPOT_HD float value(int code) const { return static_cast<float>(code - 8) * scale + middle; }
};

struct HalvesDecoder {
  static constexpr bool onlyRuns = false;
  const DeviceWeight& w;

  QUANTSPOT_HD bool whole() const { return isAligned(w.codes, 8); }  // groups are 32 or a multiple, and divide the columns

  struct Place {
    std::int64_t group;
    const std::uint8_t* byte;
    int shift;
  };
  QUANTSPOT_HD Place placeOf(std::int64_t row, std::int64_t column) const {
    const auto size = static_cast<std::uint32_t>(w.group), half = size / 2, at = static_cast<std::uint32_t>(column);
    const std::uint32_t group = at / size, within = at - group * size;
    const bool high = within >= half;
    return {group, w.codes + row * (w.columns / 2) + group * half + (high ? within - half : within), high ? 4 : 0};
  }
  QUANTSPOT_HD float at(std::int64_t row, std::int64_t column) const {
    const Place place = placeOf(row, column);
    return Midpoint(w, row, place.group).value(*place.byte >> place.shift & 15);
  }
  QUANTSPOT_HD void eight(std::int64_t row, std::int64_t column, float* to) const {
    const Place place = placeOf(row, column);
    const EightBytes<8> packed(place.byte);
    const Midpoint middle(w, row, place.group);
    for (int i = 0; i < runLength; ++i) to[i] = middle.value(packed[i] >> place.shift & 15);
  }
};

struct FieldsDecoder {
  static constexpr bool onlyRuns = false;
  const DeviceWeight& w;

  QUANTSPOT_HD bool whole() const { return w.group % runLength == 0 && isAligned(w.codes, 8); }

  struct Place {
    std::uint32_t group, inRow;  // of all groups, and of its row
    const std::uint8_t* byte;
    int shift;
  };
  // Groups are counted in 32 bits: there are no more than 2^32, and division in 64 is slow.
  QUANTSPOT_HD Place placeOf(std::int64_t row, std::int64_t column) const {
    const auto size = static_cast<std::uint32_t>(w.group), at = static_cast<std::uint32_t>(column), inRow = at / size, within = at - inRow * size;
    const std::uint32_t group = static_cast<std::uint32_t>(row) * (static_cast<std::uint32_t>(w.columns) / size) + inRow;
    const auto layer = group / static_cast<std::uint32_t>(w.packedRows), packedRow = group - layer * static_cast<std::uint32_t>(w.packedRows);
    return {group, inRow, w.codes + static_cast<std::int64_t>(packedRow) * w.group + within, static_cast<int>(layer) * w.bits};
  }
  QUANTSPOT_HD float valueOf(int code, std::int64_t row, const Place& place) const {
    if (!w.shifts) return Midpoint(w, row, place.inRow).value(code);
    const float scale = widen(static_cast<const std::uint16_t*>(w.scales)[place.group]);
    return bf16Of(bf16Of(static_cast<float>(code) * scale) - widen(w.shifts[place.group]));
  }
  QUANTSPOT_HD float at(std::int64_t row, std::int64_t column) const {
    const Place place = placeOf(row, column);
    return valueOf(*place.byte >> place.shift & ((1 << w.bits) - 1), row, place);
  }
  QUANTSPOT_HD void eight(std::int64_t row, std::int64_t column, float* to) const {
    const Place place = placeOf(row, column);
    const EightBytes<8> packed(place.byte);
    const int mask = (1 << w.bits) - 1;
    for (int i = 0; i < runLength; ++i) to[i] = valueOf(packed[i] >> place.shift & mask, row, place);
  }
};

// `count` values of a row from `column` on, at most eight; zeros behind them.
template <class Decoder>
QUANTSPOT_HD inline void decodeRun(const Decoder& decoder, std::int64_t row, std::int64_t column, std::int64_t count, float* to) {
  if constexpr (Decoder::onlyRuns) {
    decoder.eight(row, column, to);
  } else {
    if (count >= runLength && decoder.whole()) return decoder.eight(row, column, to);
    for (int i = 0; i < runLength; ++i) to[i] = i < count ? decoder.at(row, column + i) : 0.0f;
  }
}

}  // namespace quantspot::quant
