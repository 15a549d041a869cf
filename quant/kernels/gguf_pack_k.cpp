#include "quant/kernels/gguf_formats.h"
#include "quant/kernels/gguf_pack.h"
#include "quant/kernels/gguf_search.h"

namespace quantspot::quant {
namespace {

// The first scale of largest magnitude, with its sign.
float extremeOf(const float* scales, int count) {
  float extreme = 0;
  for (int i = 0; i < count; ++i)
    if (__builtin_fabsf(scales[i]) > __builtin_fabsf(extreme)) extreme = scales[i];
  return extreme;
}

// Sums of cubes overflow long after the scales do, but then silently.
bool allFinite(const float* scales, int count) {
  for (int i = 0; i < count; ++i)
    if (!__builtin_isfinite(scales[i])) return false;
  return true;
}

float largestOf(const float* values, int count) {
  float largest = 0;
  for (int i = 0; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

// Codes anew, for the scale and offset as they are stored; those of a group without scale stay as the search left them.
void encodeAffine(const float* from, int count, float scale, float offset, int levels, std::uint8_t* codes) {
  if (scale == 0) return;
  for (int i = 0; i < count; ++i) codes[i] = static_cast<std::uint8_t>(clamped(nearestWhole((from[i] + offset) / scale), 0, levels));
}

void encodeSigned(const float* from, float scale, int half, std::uint8_t* codes) {
  if (scale == 0) return;
  for (int i = 0; i < 16; ++i) codes[i] = static_cast<std::uint8_t>(clamped(nearestWhole(from[i] / scale), -half, half - 1) + half);
}

void storePairsOfBits(const std::uint8_t* codes, std::uint8_t* to) {
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 32; ++i) {
      const std::uint8_t* of = codes + 128 * half + i;
      to[32 * half + i] = static_cast<std::uint8_t>((of[0] & 3) | (of[32] & 3) << 2 | (of[64] & 3) << 4 | (of[96] & 3) << 6);
    }
}

// Q4_K, Q5_K: eight groups of 32 with six-bit scales and offsets; writes the first 16 bytes.
bool packSixBitScales(const AffineSearch& search, const float* from, std::uint8_t* codes, std::uint8_t* to) {
  float scales[8], offsets[8];
  for (int group = 0; group < 8; ++group) {
    const float* values = from + 32 * group;
    float squares = 0, weights[32];
    for (int i = 0; i < 32; ++i) squares += values[i] * values[i];
    const float typical = __builtin_sqrtf(squares / 32);
    for (int i = 0; i < 32; ++i) weights[i] = typical + __builtin_fabsf(values[i]);
    const AffineFit fit = fitAffine(search, values, weights, 32, codes + 32 * group);
    scales[group] = fit.scale;
    offsets[group] = fit.offset;
  }
  const float scale = largestOf(scales, 8), offset = largestOf(offsets, 8);
  const float perScale = scale > 0 ? 63.0f / scale : 0, perOffset = offset > 0 ? 63.0f / offset : 0;
  std::uint8_t* bits = to + 4;
  for (int group = 0; group < 8; ++group) {
    const auto least = [](float value) {
      const auto code = static_cast<std::uint8_t>(nearestWhole(value));
      return code < 63 ? code : 63;
    };
    const int a = least(perScale * scales[group]), b = least(perOffset * offsets[group]);
    if (group < 4) {
      bits[group] = static_cast<std::uint8_t>(a);
      bits[group + 4] = static_cast<std::uint8_t>(b);
    } else {
      bits[group + 4] = static_cast<std::uint8_t>((a & 15) | (b & 15) << 4);
      bits[group - 4] = static_cast<std::uint8_t>(bits[group - 4] | a >> 4 << 6);
      bits[group] = static_cast<std::uint8_t>(bits[group] | b >> 4 << 6);
    }
  }
  const bool held = storeScale(scale / 63.0f, to), offsetHeld = storeScale(offset / 63.0f, to + 2);
  const float storedScale = widenHalf(loadHalf(to)), storedOffset = widenHalf(loadHalf(to + 2));
  for (int group = 0; group < 8; ++group) {
    const SixBits of = sixBitsOf(bits, group);
    encodeAffine(from + 32 * group, 32, storedScale * static_cast<float>(of.scale), storedOffset * static_cast<float>(of.offset), search.levels,
                 codes + 32 * group);
  }
  return held && offsetHeld;
}

void storeLongNibbles(const std::uint8_t* codes, std::uint8_t* to) {
  for (int quarter = 0; quarter < 4; ++quarter)
    for (int i = 0; i < 32; ++i)
      to[32 * quarter + i] = static_cast<std::uint8_t>((codes[64 * quarter + i] & 15) | (codes[64 * quarter + 32 + i] & 15) << 4);
}

// What `of` says of each of eight groups of 32 becomes one bit of 32 bytes.
template <class Of>
void storeEighths(const std::uint8_t* codes, std::uint8_t* to, Of&& of) {
  for (int i = 0; i < 32; ++i) {
    int bits = 0;
    for (int eighth = 0; eighth < 8; ++eighth) bits |= of(codes[32 * eighth + i]) << eighth;
    to[i] = static_cast<std::uint8_t>(bits);
  }
}

}  // namespace

bool packQ2K(const float* from, std::uint8_t* to) {
  constexpr AffineSearch search{.levels = 3, .first = -0.5f, .step = 0.1f, .steps = 15, .absolute = true};
  float scales[16], offsets[16];
  std::uint8_t codes[superBlock];
  for (int group = 0; group < 16; ++group) {
    float weights[16];
    for (int i = 0; i < 16; ++i) weights[i] = __builtin_fabsf(from[16 * group + i]);
    const AffineFit fit = fitAffine(search, from + 16 * group, weights, 16, codes + 16 * group);
    scales[group] = fit.scale;
    offsets[group] = fit.offset;
  }
  const float scale = largestOf(scales, 16), offset = largestOf(offsets, 16);
  for (int group = 0; group < 16; ++group) {
    const int a = scale > 0 ? nearestWhole(15.0f / scale * scales[group]) : 0, b = offset > 0 ? nearestWhole(15.0f / offset * offsets[group]) : 0;
    to[group] = static_cast<std::uint8_t>(a | b << 4);
  }
  const bool held = storeScale(scale > 0 ? scale / 15.0f : 0, to + 80), offsetHeld = storeScale(offset > 0 ? offset / 15.0f : 0, to + 82);
  const float storedScale = widenHalf(loadHalf(to + 80)), storedOffset = widenHalf(loadHalf(to + 82));
  for (int group = 0; group < 16; ++group)
    encodeAffine(from + 16 * group, 16, storedScale * static_cast<float>(to[group] & 15), storedOffset * static_cast<float>(to[group] >> 4), 3,
                 codes + 16 * group);
  storePairsOfBits(codes, to + 16);
  return held && offsetHeld;
}

bool packQ3K(const float* from, std::uint8_t* to) {
  float scales[16];
  std::uint8_t codes[superBlock];
  for (int group = 0; group < 16; ++group) scales[group] = fitSignedByTurns(4, from + 16 * group, codes + 16 * group);
  if (!allFinite(scales, 16)) return false;
  const float extreme = extremeOf(scales, 16), factor = extreme != 0 ? -32.0f / extreme : 0;
  std::uint8_t* bits = to + 96;
  for (int i = 0; i < 12; ++i) bits[i] = 0;
  for (int group = 0; extreme != 0 && group < 16; ++group) {
    const int code = clamped(static_cast<std::int8_t>(nearestWhole(factor * scales[group])), -32, 31) + 32;
    std::uint8_t &low = bits[group % 8], &high = bits[8 + group % 4];
    low = static_cast<std::uint8_t>(low | (code & 15) << (group < 8 ? 0 : 4));
    high = static_cast<std::uint8_t>(high | code >> 4 << 2 * (group / 4));
  }
  const bool held = storeScale(extreme != 0 ? 1 / factor : 0, to + 108);
  const float stored = widenHalf(loadHalf(to + 108));
  for (int group = 0; group < 16; ++group)
    encodeSigned(from + 16 * group, stored * static_cast<float>(scaleOf3Bit(bits, group)), 4, codes + 16 * group);
  storeEighths(codes, to, [](std::uint8_t code) { return code >> 2 & 1; });
  storePairsOfBits(codes, to + 32);
  return held;
}

bool packQ4K(const float* from, std::uint8_t* to) {
  constexpr AffineSearch search{.levels = 15, .first = -1.0f, .step = 0.1f, .steps = 20, .absolute = false};
  std::uint8_t codes[superBlock];
  const bool held = packSixBitScales(search, from, codes, to);
  storeLongNibbles(codes, to + 16);
  return held;
}

bool packQ5K(const float* from, std::uint8_t* to) {
  constexpr AffineSearch search{.levels = 31, .first = -0.5f, .step = 0.1f, .steps = 15, .absolute = false};
  std::uint8_t codes[superBlock];
  const bool held = packSixBitScales(search, from, codes, to);
  storeEighths(codes, to + 16, [](std::uint8_t code) { return code >> 4 & 1; });
  storeLongNibbles(codes, to + 48);
  return held;
}

bool packQ6K(const float* from, std::uint8_t* to) {
  float scales[16];
  std::uint8_t codes[superBlock];
  for (int group = 0; group < 16; ++group) scales[group] = fitSigned(32, from + 16 * group, codes + 16 * group);
  if (!allFinite(scales, 16)) return false;
  const float extreme = extremeOf(scales, 16);
  if (__builtin_fabsf(extreme) < 1e-15f) {
    for (int i = 0; i < 210; ++i) to[i] = 0;
    return true;
  }
  const float factor = -128.0f / extreme;
  const bool held = storeScale(1 / factor, to + 208);
  const float stored = widenHalf(loadHalf(to + 208));
  for (int group = 0; group < 16; ++group) {
    const int code = nearestWhole(factor * scales[group]);
    const auto scale = static_cast<std::int8_t>(code < 127 ? code : 127);
    to[192 + group] = static_cast<std::uint8_t>(scale);
    encodeSigned(from + 16 * group, stored * static_cast<float>(scale), 32, codes + 16 * group);
  }
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* of = codes + 128 * half;
    for (int i = 0; i < 64; ++i) to[64 * half + i] = static_cast<std::uint8_t>((of[i] & 15) | (of[64 + i] & 15) << 4);
    for (int i = 0; i < 32; ++i)
      to[128 + 32 * half + i] = static_cast<std::uint8_t>(of[i] >> 4 | of[32 + i] >> 4 << 2 | of[64 + i] >> 4 << 4 | of[96 + i] >> 4 << 6);
  }
  return held;
}

}  // namespace quantspot::quant
