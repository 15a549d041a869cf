#include "quant/kernels/gguf.h"
#include "quant/kernels/half.h"
#include "quant/kernels/gguf_pack.h"
#include "quant/kernels/rounding.h"

namespace quantspot::quant {
namespace {

constexpr int blockOf32 = 32;

// As the processors that ggml's reference files were made on convert: what no int holds becomes the lowest one.
int towardsZero(float value) { return __builtin_fabsf(value) < 0x1p31f ? static_cast<int>(value) : -0x7fffffff - 1; }

// Number i and number i + 16 share a byte.
void storeNibbles(const std::uint8_t* codes, std::uint8_t* to) {
  for (int i = 0; i < 16; ++i) to[i] = static_cast<std::uint8_t>((codes[i] & 15) | (codes[i + 16] & 15) << 4);
}

void storeFifthBits(const std::uint8_t* codes, std::uint8_t* to) {
  std::uint32_t bits = 0;
  for (int i = 0; i < blockOf32; ++i) bits |= static_cast<std::uint32_t>(codes[i] >> 4 & 1) << i;
  __builtin_memcpy(to, &bits, sizeof bits);
}

bool packQ8(const float* from, std::uint8_t* to) {
  float largest = 0;
  for (int i = 0; i < blockOf32; ++i) largest = largest < __builtin_fabsf(from[i]) ? __builtin_fabsf(from[i]) : largest;
  const float scale = largest / 127, factor = scale != 0 ? 1 / scale : 0;
  for (int i = 0; i < blockOf32; ++i) to[2 + i] = static_cast<std::uint8_t>(towardsZero(__builtin_roundf(from[i] * factor)));
  return storeScale(scale, to);
}

// Q4_0, Q5_0: the value of largest magnitude is −half.
template <int Half>
bool packSigned(const float* from, std::uint8_t* to) {
  float extreme = 0;
  for (int i = 0; i < blockOf32; ++i)
    if (__builtin_fabsf(extreme) < __builtin_fabsf(from[i])) extreme = from[i];
  const float scale = extreme / -Half, factor = scale != 0 ? 1 / scale : 0;
  std::uint8_t codes[blockOf32];
  for (int i = 0; i < blockOf32; ++i) {
    const auto code = static_cast<std::int8_t>(towardsZero(from[i] * factor + (Half + 0.5f)));
    codes[i] = static_cast<std::uint8_t>(code < 2 * Half ? code : 2 * Half - 1);
  }
  if (Half == 16) storeFifthBits(codes, to + 2);
  storeNibbles(codes, to + (Half == 16 ? 6 : 2));
  return storeScale(scale, to);
}

// Q4_1, Q5_1: from the least to the largest value.
template <int Levels>
bool packUnsigned(const float* from, std::uint8_t* to) {
  float low = from[0], high = from[0];
  for (int i = 1; i < blockOf32; ++i) {
    if (from[i] < low) low = from[i];
    if (from[i] > high) high = from[i];
  }
  const float scale = (high - low) / Levels, factor = scale != 0 ? 1 / scale : 0;
  std::uint8_t codes[blockOf32];
  for (int i = 0; i < blockOf32; ++i) {
    const int code = towardsZero((from[i] - low) * factor + 0.5f);
    codes[i] = static_cast<std::uint8_t>(Levels == 15 ? (static_cast<std::int8_t>(code) < 15 ? static_cast<std::int8_t>(code) : 15) : code);
  }
  if (Levels == 31) storeFifthBits(codes, to + 4);
  storeNibbles(codes, to + (Levels == 31 ? 8 : 4));
  const bool held = storeScale(scale, to);
  return storeScale(low, to + 2) && held;
}

bool packPlain(GgmlType type, const float* from, std::int64_t count, std::uint8_t* to) {
  bool held = true;
  for (std::int64_t i = 0; i < count; ++i) {
    if (type == GgmlType::F32)
      __builtin_memcpy(to + 4 * i, from + i, sizeof(float));
    else if (type == GgmlType::F16)
      held &= storeScale(from[i], to + 2 * i);
    else
      storeHalf(roundToBf16(from[i]), to + 2 * i);
  }
  return held;
}

// One block.
bool packBlock(GgmlType type, const float* from, std::uint8_t* to) {
  switch (type) {
    case GgmlType::Q8_0: return packQ8(from, to);
    case GgmlType::Q5_0: return packSigned<16>(from, to);
    case GgmlType::Q5_1: return packUnsigned<31>(from, to);
    case GgmlType::Q4_0: return packSigned<8>(from, to);
    case GgmlType::Q4_1: return packUnsigned<15>(from, to);
    case GgmlType::Q6_K: return packQ6K(from, to);
    case GgmlType::Q5_K: return packQ5K(from, to);
    case GgmlType::Q4_K: return packQ4K(from, to);
    case GgmlType::Q3_K: return packQ3K(from, to);
    case GgmlType::Q2_K: return packQ2K(from, to);
    default: return false;
  }
}

}  // namespace

bool packGgml(GgmlType type, const float* from, std::int64_t count, std::uint8_t* to) {
  const GgmlTypeInfo& info = ggmlType(type);
  if (info.elements == 1) return packPlain(type, from, count, to);
  bool held = true;
  for (std::int64_t i = 0; i < count / info.elements; ++i) held &= packBlock(type, from + i * info.elements, to + i * info.bytes);
  return held;
}

}  // namespace quantspot::quant
