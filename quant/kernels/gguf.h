// ggml's block formats: whole blocks to values and back. Plain pointers and no torch, as in kernels.h; every variant of a kernel
// gives the same bits.
#pragma once

#include "quant/ggml_types.h"
#include "quant/kernels/kernels.h"

namespace quantspot::quant {

// `count` elements from `blocks` on; count is a multiple of the block's elements.
using GgufToBf16 = void (*)(GgmlType type, const std::uint8_t* blocks, std::int64_t count, Bf16* to);
struct GgufKernels {
  void (*toFp32)(GgmlType type, const std::uint8_t* blocks, std::int64_t count, float* to);     // ggml's dequantize_row_*
  GgufToBf16 toBf16;                                                                            // the same, rounded once
  void (*toRounded)(GgmlType type, const std::uint8_t* blocks, std::int64_t count, float* to);  // that bf16, widened
};

const GgufKernels& ggufKernels();           // the fastest for this CPU
const GgufKernels& portableGgufKernels();
const GgufKernels* avx2GgufKernels();       // null when not built or not supported
const GgufKernels* avx512GgufKernels();     // null when not built or not supported
GgufToBf16 avx512Bf16GgufToBf16();          // null when not built or not supported

// `count` finite values to blocks, byte for byte as ggml's quantize_row_*_ref without an importance matrix. Returns false when
// the values are too large for the format's fp16 scales. Type: any but IQ4_NL and IQ4_XS, which are only read.
bool packGgml(GgmlType type, const float* from, std::int64_t count, std::uint8_t* to);

}  // namespace quantspot::quant
