// The tensor types of ggml that are read here: numbers, names and block sizes as in the GGUF format (ggml.h, gguf/constants.py).
// Plain C++, so that kernels and programs without torch may read it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace quantspot::quant {

enum class GgmlType : std::uint32_t {
  F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q5_0 = 6, Q5_1 = 7, Q8_0 = 8, Q2_K = 10, Q3_K = 11, Q4_K = 12, Q5_K = 13, Q6_K = 14,
  IQ4_NL = 20, IQ4_XS = 23, BF16 = 30
};

struct GgmlTypeInfo {
  GgmlType type;
  std::string_view name;   // of ggml
  std::string_view id;     // of the precision; empty: a plain type
  std::int64_t elements;   // in a block; blocks never cross a row
  std::int64_t bytes;      // of a block
};

inline constexpr std::array ggmlTypes{
    GgmlTypeInfo{GgmlType::F32, "F32", "", 1, 4},
    GgmlTypeInfo{GgmlType::F16, "F16", "", 1, 2},
    GgmlTypeInfo{GgmlType::BF16, "BF16", "", 1, 2},
    GgmlTypeInfo{GgmlType::Q8_0, "Q8_0", "gguf-q8_0", 32, 34},
    GgmlTypeInfo{GgmlType::Q5_0, "Q5_0", "gguf-q5_0", 32, 22},
    GgmlTypeInfo{GgmlType::Q5_1, "Q5_1", "gguf-q5_1", 32, 24},
    GgmlTypeInfo{GgmlType::Q4_0, "Q4_0", "gguf-q4_0", 32, 18},
    GgmlTypeInfo{GgmlType::Q4_1, "Q4_1", "gguf-q4_1", 32, 20},
    GgmlTypeInfo{GgmlType::Q6_K, "Q6_K", "gguf-q6_k", 256, 210},
    GgmlTypeInfo{GgmlType::Q5_K, "Q5_K", "gguf-q5_k", 256, 176},
    GgmlTypeInfo{GgmlType::Q4_K, "Q4_K", "gguf-q4_k", 256, 144},
    GgmlTypeInfo{GgmlType::Q3_K, "Q3_K", "gguf-q3_k", 256, 110},
    GgmlTypeInfo{GgmlType::Q2_K, "Q2_K", "gguf-q2_k", 256, 84},
    GgmlTypeInfo{GgmlType::IQ4_NL, "IQ4_NL", "gguf-iq4_nl", 32, 18},
    GgmlTypeInfo{GgmlType::IQ4_XS, "IQ4_XS", "gguf-iq4_xs", 256, 136},
};

// Null when the number is no type that is read here.
constexpr const GgmlTypeInfo* ggmlType(std::uint32_t number) {
  for (const GgmlTypeInfo& info : ggmlTypes)
    if (static_cast<std::uint32_t>(info.type) == number) return &info;
  return nullptr;
}
constexpr const GgmlTypeInfo& ggmlType(GgmlType type) { return *ggmlType(static_cast<std::uint32_t>(type)); }

}  // namespace quantspot::quant
