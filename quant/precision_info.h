// How each precision is shown: plain C++, so that programs without torch may read it.
#pragma once

#include <array>
#include <string_view>

namespace quantspot::quant {

enum class PrecisionFamily { Bf16, Fp8, Int8, FourBit };  // drawn blue, teal, orange, magenta

struct PrecisionInfo {
  std::string_view id, label;
  PrecisionFamily family;
  double bitsPerWeight;  // codes and scales of a large weight; scales per row are not counted
};

inline constexpr std::array precisionInfos{
    PrecisionInfo{"fp32", "FP32", PrecisionFamily::Bf16, 32},
    PrecisionInfo{"bf16", "BF16", PrecisionFamily::Bf16, 16},
    PrecisionInfo{"fp16", "FP16", PrecisionFamily::Bf16, 16},
    PrecisionInfo{"fp8-layerwise", "FP8 layerwise", PrecisionFamily::Fp8, 8},
    PrecisionInfo{"fp8-layerwise-e5m2", "FP8 layerwise, E5M2", PrecisionFamily::Fp8, 8},
    PrecisionInfo{"bnb-int8", "INT8 (LLM.int8)", PrecisionFamily::Int8, 8},
    PrecisionInfo{"bnb-nf4", "NF4", PrecisionFamily::FourBit, 4.5},
    PrecisionInfo{"bnb-nf4-dq", "NF4, double quantized", PrecisionFamily::FourBit, 4 + 8.0 / 64 + 32.0 / (64 * 256)},
    PrecisionInfo{"bnb-fp4", "FP4", PrecisionFamily::FourBit, 4.5},
    PrecisionInfo{"bnb-fp4-dq", "FP4, double quantized", PrecisionFamily::FourBit, 4 + 8.0 / 64 + 32.0 / (64 * 256)},
};

constexpr std::string_view familyName(PrecisionFamily family) {
  switch (family) {
    case PrecisionFamily::Bf16: return "bf16";
    case PrecisionFamily::Fp8: return "fp8";
    case PrecisionFamily::Int8: return "8-bit";
    case PrecisionFamily::FourBit: return "4-bit";
  }
  return "";
}

// Null when the id is not known.
constexpr const PrecisionInfo* precisionInfo(std::string_view id) {
  for (const PrecisionInfo& info : precisionInfos)
    if (info.id == id) return &info;
  return nullptr;
}

}  // namespace quantspot::quant
