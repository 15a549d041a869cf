// How each precision is shown: plain C++, so that programs without torch may read it.
#pragma once

#include <array>
#include <string_view>

namespace quantspot::quant {

enum class PrecisionFamily { Bf16, Fp8, Int8, FourBit, Gguf };  // drawn blue, teal, orange, magenta, violet

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
    PrecisionInfo{"torchao-fp8wo", "FP8 (torchao)", PrecisionFamily::Fp8, 8},
    PrecisionInfo{"torchao-fp8dq", "FP8, dynamic activations (torchao)", PrecisionFamily::Fp8, 8},
    PrecisionInfo{"quanto-fp8", "FP8 (Quanto)", PrecisionFamily::Fp8, 8},
    PrecisionInfo{"bnb-int8", "INT8 (LLM.int8)", PrecisionFamily::Int8, 8},
    PrecisionInfo{"torchao-int8wo", "INT8 (torchao)", PrecisionFamily::Int8, 8},
    PrecisionInfo{"torchao-int8dq", "INT8, dynamic activations (torchao)", PrecisionFamily::Int8, 8},
    PrecisionInfo{"quanto-int8", "INT8 (Quanto)", PrecisionFamily::Int8, 8},
    PrecisionInfo{"quanto-int8a8", "INT8, calibrated activations (Quanto)", PrecisionFamily::Int8, 8},
    PrecisionInfo{"int8-dynamic", "INT8 dynamic", PrecisionFamily::Int8, 8},
    PrecisionInfo{"bnb-nf4", "NF4", PrecisionFamily::FourBit, 4.5},
    PrecisionInfo{"bnb-nf4-dq", "NF4, double quantized", PrecisionFamily::FourBit, 4 + 8.0 / 64 + 32.0 / (64 * 256)},
    PrecisionInfo{"bnb-fp4", "FP4", PrecisionFamily::FourBit, 4.5},
    PrecisionInfo{"bnb-fp4-dq", "FP4, double quantized", PrecisionFamily::FourBit, 4 + 8.0 / 64 + 32.0 / (64 * 256)},
    PrecisionInfo{"torchao-int4wo", "INT4 (torchao)", PrecisionFamily::FourBit, 4 + 32.0 / 128},
    PrecisionInfo{"quanto-int4", "INT4 (Quanto)", PrecisionFamily::FourBit, 4 + 32.0 / 128},
    PrecisionInfo{"quanto-int2", "INT2 (Quanto)", PrecisionFamily::FourBit, 2 + 32.0 / 128},
    PrecisionInfo{"gguf-q8_0", "GGUF Q8_0", PrecisionFamily::Gguf, 8.5},
    PrecisionInfo{"gguf-q6_k", "GGUF Q6_K", PrecisionFamily::Gguf, 6.5625},
    PrecisionInfo{"gguf-q5_k", "GGUF Q5_K", PrecisionFamily::Gguf, 5.5},
    PrecisionInfo{"gguf-q5_1", "GGUF Q5_1", PrecisionFamily::Gguf, 6},
    PrecisionInfo{"gguf-q5_0", "GGUF Q5_0", PrecisionFamily::Gguf, 5.5},
    PrecisionInfo{"gguf-q4_k", "GGUF Q4_K", PrecisionFamily::Gguf, 4.5},
    PrecisionInfo{"gguf-q4_1", "GGUF Q4_1", PrecisionFamily::Gguf, 5},
    PrecisionInfo{"gguf-q4_0", "GGUF Q4_0", PrecisionFamily::Gguf, 4.5},
    PrecisionInfo{"gguf-q3_k", "GGUF Q3_K", PrecisionFamily::Gguf, 3.4375},
    PrecisionInfo{"gguf-q2_k", "GGUF Q2_K", PrecisionFamily::Gguf, 2.625},
};

constexpr std::string_view familyName(PrecisionFamily family) {
  switch (family) {
    case PrecisionFamily::Bf16: return "bf16";
    case PrecisionFamily::Fp8: return "fp8";
    case PrecisionFamily::Int8: return "8-bit";
    case PrecisionFamily::FourBit: return "4-bit";
    case PrecisionFamily::Gguf: return "gguf";
  }
  return "";
}

// Null when the id is not known. Options do not count: "bnb-nf4?blocksize=128" is shown as "bnb-nf4".
constexpr const PrecisionInfo* precisionInfo(std::string_view id) {
  id = id.substr(0, id.find('?'));
  for (const PrecisionInfo& info : precisionInfos)
    if (info.id == id) return &info;
  return nullptr;
}

}  // namespace quantspot::quant
