// Blocks to values, for every format.
#pragma once

#include "quant/kernels/gguf.h"
#include "quant/kernels/gguf_formats.h"
#include "quant/kernels/rounding.h"

namespace quantspot::quant {
namespace {  // a class of its own in every kernel file, so that the linker cannot mix their instruction sets

// What becomes of ggml's value.
enum class Make { Fp32, Bf16, RoundedFp32 };

template <Make Kind>
struct Made {
  using To = float;
};
template <>
struct Made<Make::Bf16> {
  using To = Bf16;
};

template <Make Kind>
inline typename Made<Kind>::To makeOne(float value) {
  if constexpr (Kind == Make::Fp32)
    return value;
  else if constexpr (Kind == Make::Bf16)
    return roundToBf16(value);
  else
    return widen(roundToBf16(value));
}

// Group::store<Kind, Count, Offset>(numbers, scale, offset, to) makes Count values, a multiple of 16.
template <class Format, Make Kind, class Group>
void expandBlocks(const std::uint8_t* block, std::int64_t count, typename Made<Kind>::To* to) {
  for (std::int64_t i = 0; i < count; i += Format::elements, block += Format::bytes) {
    typename Format::Numbers numbers;
    Format::read(block, numbers);
    for (int group = 0; group < Format::elements / Format::group; ++group) {
      const float offset = Format::hasOffset ? numbers.offset[group] : 0;
      Group::template store<Kind, Format::group, Format::hasOffset>(numbers.number + group * Format::group, numbers.scale[group], offset,
                                                                    to + i + group * Format::group);
    }
  }
}

template <Make Kind>
void expandPlain(GgmlType type, const std::uint8_t* from, std::int64_t count, typename Made<Kind>::To* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    float value;
    if (type == GgmlType::F32) {
      __builtin_memcpy(&value, from + 4 * i, sizeof value);
    } else {
      const Half bits = loadHalf(from + 2 * i);
      value = type == GgmlType::F16 ? widenHalf(bits) : widen(bits);
    }
    to[i] = makeOne<Kind>(value);
  }
}

template <Make Kind, class Group>
void expandGguf(GgmlType type, const std::uint8_t* blocks, std::int64_t count, typename Made<Kind>::To* to) {
  switch (type) {
    case GgmlType::Q8_0: return expandBlocks<Q8_0, Kind, Group>(blocks, count, to);
    case GgmlType::Q5_0: return expandBlocks<Q5_0, Kind, Group>(blocks, count, to);
    case GgmlType::Q5_1: return expandBlocks<Q5_1, Kind, Group>(blocks, count, to);
    case GgmlType::Q4_0: return expandBlocks<Q4_0, Kind, Group>(blocks, count, to);
    case GgmlType::Q4_1: return expandBlocks<Q4_1, Kind, Group>(blocks, count, to);
    case GgmlType::Q6_K: return expandBlocks<Q6_K, Kind, Group>(blocks, count, to);
    case GgmlType::Q5_K: return expandBlocks<Q5_K, Kind, Group>(blocks, count, to);
    case GgmlType::Q4_K: return expandBlocks<Q4_K, Kind, Group>(blocks, count, to);
    case GgmlType::Q3_K: return expandBlocks<Q3_K, Kind, Group>(blocks, count, to);
    case GgmlType::Q2_K: return expandBlocks<Q2_K, Kind, Group>(blocks, count, to);
    case GgmlType::IQ4_NL: return expandBlocks<IQ4_NL, Kind, Group>(blocks, count, to);
    case GgmlType::IQ4_XS: return expandBlocks<IQ4_XS, Kind, Group>(blocks, count, to);
    case GgmlType::F32:
    case GgmlType::F16:
    case GgmlType::BF16: return expandPlain<Kind>(type, blocks, count, to);
  }
}

template <class Group>
constexpr GgufKernels kernelsOf{expandGguf<Make::Fp32, Group>, expandGguf<Make::Bf16, Group>, expandGguf<Make::RoundedFp32, Group>};

}  // namespace
}  // namespace quantspot::quant
