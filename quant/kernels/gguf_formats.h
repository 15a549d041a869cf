// How each ggml format lies in its block. read() gives the whole numbers of one block and the scale of every group of them;
// a value is scale · number (− offset), in this order of rounding. Written with the compiler's vectors of 32 bytes, which every
// instruction set gets as its own.
#pragma once

#include "quant/kernels/half.h"

namespace quantspot::quant {
namespace {  // a class of its own in every kernel file, so that the linker cannot mix their instruction sets

constexpr int superBlock = 256;

using Bytes16 [[gnu::vector_size(16)]] = std::uint8_t;
using Bytes32 [[gnu::vector_size(32)]] = std::uint8_t;
using Words8 [[gnu::vector_size(32)]] = std::uint32_t;

inline Bytes16 load16(const std::uint8_t* from) {
  Bytes16 bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

inline Bytes32 load32(const std::uint8_t* from) {
  Bytes32 bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

template <class Vector>
inline void put(Vector bytes, std::int8_t* to) {
  __builtin_memcpy(to, &bytes, sizeof bytes);
}

// What read() fills: Elements numbers, Elements / Group scales and offsets.
template <int Elements, int Group>
struct BlockNumbers {
  std::int8_t number[Elements];
  float scale[Elements / Group], offset[Elements / Group];
};

template <int Bytes, int Elements, int Group, bool Offset>
struct BlockShape {
  static constexpr int bytes = Bytes, elements = Elements, group = Group;
  static constexpr bool hasOffset = Offset;
  using Numbers = BlockNumbers<Elements, Group>;
};

// 16 bytes → 32 numbers: the low nibbles, then the high ones.
inline Bytes32 nibbles(const std::uint8_t* from) {
  const Bytes16 packed = load16(from), low = packed & 15, high = packed >> 4;
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                 28, 29, 30, 31);
}

// 16 where bit i of four bytes is set.
inline Bytes32 fifthBits(const std::uint8_t* from) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, from, sizeof bits);
  const auto all = reinterpret_cast<Bytes32>(Words8{} + bits);   // indices that stay within 16 bytes are one instruction
  const Bytes32 spread = __builtin_shufflevector(all, all, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19,
                                                 19, 19, 19, 19, 19, 19);
  const Bytes32 bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  return static_cast<Bytes32>((spread & bit) == bit) & 16;
}

// `value` where the bit is set, else 0.
inline Bytes32 whereSet(Bytes32 bytes, int bit, std::uint8_t value) {
  const auto mask = static_cast<std::uint8_t>(1 << bit);
  const Bytes32 wanted = Bytes32{} + mask;
  return static_cast<Bytes32>((bytes & wanted) == wanted) & value;
}

struct Q8_0 : BlockShape<34, 32, 32, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    out.scale[0] = widenHalf(loadHalf(block));
    put(load32(block + 2), out.number);
  }
};

struct Q4_0 : BlockShape<18, 32, 32, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    out.scale[0] = widenHalf(loadHalf(block));
    put(nibbles(block + 2) - 8, out.number);
  }
};

struct Q4_1 : BlockShape<20, 32, 32, true> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    out.scale[0] = widenHalf(loadHalf(block));
    out.offset[0] = -widenHalf(loadHalf(block + 2));
    put(nibbles(block + 4), out.number);
  }
};

struct Q5_0 : BlockShape<22, 32, 32, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    out.scale[0] = widenHalf(loadHalf(block));
    put((nibbles(block + 6) | fifthBits(block + 2)) - 16, out.number);
  }
};

struct Q5_1 : BlockShape<24, 32, 32, true> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    out.scale[0] = widenHalf(loadHalf(block));
    out.offset[0] = -widenHalf(loadHalf(block + 2));
    put(nibbles(block + 8) | fifthBits(block + 4), out.number);
  }
};

// Per group of 16 a scale in the low nibble of a byte, an offset in the high one. 64 bytes of two bits: in each half block,
// bits 0–1 are those of the first 32 numbers, bits 2–3 those of the next.
struct Q2_K : BlockShape<84, superBlock, 16, true> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    const float scale = widenHalf(loadHalf(block + 80)), offset = widenHalf(loadHalf(block + 82));
    for (int group = 0; group < 16; ++group) {
      out.scale[group] = scale * static_cast<float>(block[group] & 15);
      out.offset[group] = offset * static_cast<float>(block[group] >> 4);
    }
    for (int half = 0; half < 2; ++half) {
      const Bytes32 pairs = load32(block + 16 + 32 * half);
      for (int quarter = 0; quarter < 4; ++quarter) put(pairs >> 2 * quarter & 3, out.number + 128 * half + 32 * quarter);
    }
  }
};

// Scale of group 0…15 in 12 bytes: low nibbles in the first eight, two high bits in the last four; 32 is zero.
inline int scaleOf3Bit(const std::uint8_t* scales, int group) {
  const int low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
  return (low | (scales[8 + group % 4] >> 2 * (group / 4) & 3) << 4) - 32;
}

// The same for all 16, eight at a time.
inline void readScalesOf3Bit(const std::uint8_t* scales, float scale, float* to) {
  constexpr std::uint64_t nibble = 0x0f0f0f0f0f0f0f0f, pair = 0x03030303;
  std::uint64_t low, high = 0;
  __builtin_memcpy(&low, scales, sizeof low);
  __builtin_memcpy(&high, scales + 8, 4);
  const std::uint64_t codes[2] = {(low & nibble) | ((high & pair) | (high >> 2 & pair) << 32) << 4,
                                  (low >> 4 & nibble) | ((high >> 4 & pair) | (high >> 6 & pair) << 32) << 4};
  std::int8_t bytes[16];
  __builtin_memcpy(bytes, codes, sizeof bytes);
  for (int group = 0; group < 16; ++group) to[group] = scale * static_cast<float>(bytes[group] - 32);
}

// The third bits: 32 bytes, bit e of them for the numbers from 32·e on.
struct Q3_K : BlockShape<110, superBlock, 16, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    readScalesOf3Bit(block + 96, widenHalf(loadHalf(block + 108)), out.scale);
    const Bytes32 thirds = load32(block);
    for (int eighth = 0; eighth < 8; ++eighth) {
      const Bytes32 pairs = load32(block + 32 + 32 * (eighth / 4)) >> 2 * (eighth % 4) & 3;
      put((pairs | whereSet(thirds, eighth, 4)) - 4, out.number + 32 * eighth);
    }
  }
};

// Scale and offset of group 0…7, six bits each, in 12 bytes.
struct SixBits {
  int scale, offset;
};
inline SixBits sixBitsOf(const std::uint8_t* scales, int group) {
  if (group < 4) return {scales[group] & 63, scales[group + 4] & 63};
  return {(scales[group + 4] & 15) | scales[group - 4] >> 6 << 4, scales[group + 4] >> 4 | scales[group] >> 6 << 4};
}

template <class Numbers>
inline void readSixBitScales(const std::uint8_t* block, Numbers& out) {
  const float scale = widenHalf(loadHalf(block)), offset = widenHalf(loadHalf(block + 2));
  for (int group = 0; group < 8; ++group) {
    const SixBits bits = sixBitsOf(block + 4, group);
    out.scale[group] = scale * static_cast<float>(bits.scale);
    out.offset[group] = offset * static_cast<float>(bits.offset);
  }
}

// 128 bytes: every 32 hold 32 numbers in the low nibbles, the next 32 in the high ones.
struct Q4_K : BlockShape<144, superBlock, 32, true> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    readSixBitScales(block, out);
    for (int quarter = 0; quarter < 4; ++quarter) {
      const Bytes32 packed = load32(block + 16 + 32 * quarter);
      put(packed & 15, out.number + 64 * quarter);
      put(packed >> 4, out.number + 64 * quarter + 32);
    }
  }
};

struct Q5_K : BlockShape<176, superBlock, 32, true> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    readSixBitScales(block, out);
    const Bytes32 fifths = load32(block + 16);
    for (int quarter = 0; quarter < 4; ++quarter) {
      const Bytes32 packed = load32(block + 48 + 32 * quarter);
      put((packed & 15) | whereSet(fifths, 2 * quarter, 16), out.number + 64 * quarter);
      put(packed >> 4 | whereSet(fifths, 2 * quarter + 1, 16), out.number + 64 * quarter + 32);
    }
  }
};

// Per half block: 64 bytes of nibbles, 32 bytes of the two bits above them; eight-bit scales with a sign.
struct Q6_K : BlockShape<210, superBlock, 16, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    const float scale = widenHalf(loadHalf(block + 208));
    for (int group = 0; group < 16; ++group) out.scale[group] = scale * static_cast<float>(static_cast<std::int8_t>(block[192 + group]));
    for (int half = 0; half < 2; ++half) {
      const Bytes32 a = load32(block + 64 * half), b = load32(block + 64 * half + 32), high = load32(block + 128 + 32 * half);
      std::int8_t* to = out.number + 128 * half;
      put(((a & 15) | (high & 3) << 4) - 32, to);
      put(((b & 15) | (high >> 2 & 3) << 4) - 32, to + 32);
      put((a >> 4 | (high >> 4 & 3) << 4) - 32, to + 64);
      put((b >> 4 | high >> 6 << 4) - 32, to + 96);
    }
  }
};

// The 16 uneven levels, by pairs of nibbles: 16 bytes to 32 numbers.
inline Bytes32 unevenLevels(const std::uint8_t* from) {
  constexpr Bytes16 levels = {static_cast<std::uint8_t>(-127), static_cast<std::uint8_t>(-104), static_cast<std::uint8_t>(-83),
                              static_cast<std::uint8_t>(-65), static_cast<std::uint8_t>(-49), static_cast<std::uint8_t>(-35),
                              static_cast<std::uint8_t>(-22), static_cast<std::uint8_t>(-10), 1, 13, 25, 38, 53, 69, 89, 113};
  const Bytes16 packed = load16(from), low = __builtin_shuffle(levels, packed & 15), high = __builtin_shuffle(levels, packed >> 4);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                 28, 29, 30, 31);
}

struct IQ4_NL : BlockShape<18, 32, 32, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    out.scale[0] = widenHalf(loadHalf(block));
    put(unevenLevels(block + 2), out.number);
  }
};

struct IQ4_XS : BlockShape<136, superBlock, 32, false> {
  static inline void read(const std::uint8_t* block, Numbers& out) {
    const float scale = widenHalf(loadHalf(block));
    const int high = block[2] | block[3] << 8;
    for (int group = 0; group < 8; ++group) {
      const int low = block[4 + group / 2] >> 4 * (group % 2) & 15;
      out.scale[group] = scale * static_cast<float>((low | (high >> 2 * group & 3) << 4) - 32);
      put(unevenLevels(block + 8 + 16 * group), out.number + 32 * group);
    }
  }
};

}  // namespace
}  // namespace quantspot::quant
