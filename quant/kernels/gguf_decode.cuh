// ggml's blocks for devices; the layouts are described in gguf_formats.h. Each format reads eight numbers of a block, from
// `first`, a multiple of 8, and the scale and offset that they share: a value is bf16(scale · number − offset).
#pragma once

#include "quant/kernels/decode.cuh"
#include "quant/kernels/half.h"

namespace quantspot::quant::device {

struct Numbers {
  int number[runLength];
  float scale, offset = 0;
};

using Run = EightBytes<2>;  // blocks have even sizes, and their parts begin at even places

QUANTSPOT_HD inline float halfAt(const std::uint8_t* from) {
  return widenHalf(static_cast<Half>(from[0] | from[1] << 8));
}

// Numbers first … of 32 whose low nibbles come first: 16 bytes.
QUANTSPOT_HD inline void readNibbles(const std::uint8_t* from, int first, int* to) {
  const Run packed(from + (first & 15));
  for (int i = 0; i < runLength; ++i) to[i] = packed[i] >> (first & 16 ? 4 : 0) & 15;
}

// Bit `first + i` of 32.
QUANTSPOT_HD inline void addFifthBits(const std::uint8_t* from, int first, int* to) {
  const int bits = from[first / 8];
  for (int i = 0; i < runLength; ++i) to[i] |= (bits >> i & 1) << 4;
}

template <int Bytes, int Elements>
struct Shape {
  static constexpr int bytes = Bytes, elements = Elements;
};

struct Q8_0 : Shape<34, 32> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    out.scale = halfAt(block);
    const Run packed(block + 2 + first);
    for (int i = 0; i < runLength; ++i) out.number[i] = static_cast<std::int8_t>(packed[i]);
    return out;
  }
};

struct Q4_0 : Shape<18, 32> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    out.scale = halfAt(block);
    readNibbles(block + 2, first, out.number);
    for (int& number : out.number) number -= 8;
    return out;
  }
};

struct Q4_1 : Shape<20, 32> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    out.scale = halfAt(block);
    out.offset = -halfAt(block + 2);
    readNibbles(block + 4, first, out.number);
    return out;
  }
};

struct Q5_0 : Shape<22, 32> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    out.scale = halfAt(block);
    readNibbles(block + 6, first, out.number);
    addFifthBits(block + 2, first, out.number);
    for (int& number : out.number) number -= 16;
    return out;
  }
};

struct Q5_1 : Shape<24, 32> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    out.scale = halfAt(block);
    out.offset = -halfAt(block + 2);
    readNibbles(block + 8, first, out.number);
    addFifthBits(block + 4, first, out.number);
    return out;
  }
};

struct Q2_K : Shape<84, 256> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    const int group = block[first / 16], pair = first % 128 / 32;
    out.scale = halfAt(block + 80) * static_cast<float>(group & 15);
    out.offset = halfAt(block + 82) * static_cast<float>(group >> 4);
    const Run packed(block + 16 + 32 * (first / 128) + first % 32);
    for (int i = 0; i < runLength; ++i) out.number[i] = packed[i] >> 2 * pair & 3;
    return out;
  }
};

struct Q3_K : Shape<110, 256> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    const int group = first / 16, eighth = first / 32;
    const std::uint8_t* codes = block + 96;
    const int low = group < 8 ? codes[group] & 15 : codes[group - 8] >> 4;
    const int code = (low | (codes[8 + group % 4] >> 2 * (group / 4) & 3) << 4) - 32;
    out.scale = halfAt(block + 108) * static_cast<float>(code);
    const Run pairs(block + 32 + 32 * (eighth / 4) + first % 32), thirds(block + first % 32);
    for (int i = 0; i < runLength; ++i)
      out.number[i] = ((pairs[i] >> 2 * (eighth % 4) & 3) | (thirds[i] >> eighth & 1) << 2) - 4;
    return out;
  }
};

// Scale and offset of a group of 32, six bits each, of Q4_K and Q5_K.
QUANTSPOT_HD inline void readSixBits(const std::uint8_t* block, int group, Numbers& out) {
  const std::uint8_t* codes = block + 4;
  int scale = codes[group] & 63, offset = codes[group + 4] & 63;
  if (group >= 4) {
    scale = (codes[group + 4] & 15) | codes[group - 4] >> 6 << 4;
    offset = codes[group + 4] >> 4 | codes[group] >> 6 << 4;
  }
  out.scale = halfAt(block) * static_cast<float>(scale);
  out.offset = halfAt(block + 2) * static_cast<float>(offset);
}

struct Q4_K : Shape<144, 256> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    readSixBits(block, first / 32, out);
    const Run packed(block + 16 + 32 * (first / 64) + first % 32);
    for (int i = 0; i < runLength; ++i) out.number[i] = packed[i] >> (first & 32 ? 4 : 0) & 15;
    return out;
  }
};

struct Q5_K : Shape<176, 256> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    const int group = first / 32;
    readSixBits(block, group, out);
    const Run packed(block + 48 + 32 * (first / 64) + first % 32), fifths(block + 16 + first % 32);
    for (int i = 0; i < runLength; ++i)
      out.number[i] = (packed[i] >> (first & 32 ? 4 : 0) & 15) | (fifths[i] >> group & 1) << 4;
    return out;
  }
};

struct Q6_K : Shape<210, 256> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float*) {
    Numbers out;
    const int half = first / 128, quarter = first % 128 / 32;
    out.scale = halfAt(block + 208) * static_cast<float>(static_cast<std::int8_t>(block[192 + first / 16]));
    const Run low(block + 64 * half + 32 * (quarter % 2) + first % 32), high(block + 128 + 32 * half + first % 32);
    for (int i = 0; i < runLength; ++i)
      out.number[i] = ((low[i] >> (quarter < 2 ? 0 : 4) & 15) | (high[i] >> 2 * quarter & 3) << 4) - 32;
    return out;
  }
};

// Numbers of codes, by the table of uneven levels.
QUANTSPOT_HD inline void readLevels(const std::uint8_t* from, int first, const float* levels, int* to) {
  readNibbles(from, first, to);
  for (int i = 0; i < runLength; ++i) to[i] = static_cast<int>(levels[to[i]]);
}

struct IQ4_NL : Shape<18, 32> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float* levels) {
    Numbers out;
    out.scale = halfAt(block);
    readLevels(block + 2, first, levels, out.number);
    return out;
  }
};

struct IQ4_XS : Shape<136, 256> {
  QUANTSPOT_HD static Numbers read(const std::uint8_t* block, int first, const float* levels) {
    Numbers out;
    const int group = first / 32, high = block[2] | block[3] << 8;
    const int low = block[4 + group / 2] >> 4 * (group % 2) & 15;
    out.scale = halfAt(block) * static_cast<float>((low | (high >> 2 * group & 3) << 4) - 32);
    readLevels(block + 8 + 16 * group, first % 32, levels, out.number);
    return out;
  }
};

template <class Format>
struct BlocksDecoder {
  static constexpr bool onlyRuns = true;  // blocks never cross a row
  const DeviceWeight& w;
  const float* table;

  QUANTSPOT_HD void eight(std::int64_t row, std::int64_t column, float* to) const {
    const auto at = static_cast<std::uint32_t>(column), block = at / Format::elements;
    const std::uint8_t* from = w.codes + (row * (w.columns / Format::elements) + block) * Format::bytes;
    const Numbers read = Format::read(from, static_cast<int>(at % Format::elements), table);
    for (int i = 0; i < runLength; ++i) to[i] = bf16Of(read.scale * static_cast<float>(read.number[i]) - read.offset);
  }
};

}  // namespace quantspot::quant::device
