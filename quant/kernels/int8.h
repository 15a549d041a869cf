// Integer products on the CPU: rows of activations to int8, and their exact product with an int8 weight. Plain pointers
// and no torch, as in kernels.h; every variant gives the same bits.
#pragma once

#include "quant/kernels/kernels.h"

namespace quantspot::quant {

inline constexpr std::int64_t panelRows = 16;  // weight rows that lie side by side
inline constexpr std::int64_t panelDepth = 4;  // neighbours in K that one instruction multiplies and adds

// How an exact sum becomes a result: each reference in its own order of operations.
enum class Int8Finish {
  Bnb,      // bf16(acc · (rowScale · columnScale) · 6.200124e-05 + bias)
  TorchAo,  // bf16(bf16(acc · rowScale) · columnScale + bias)
  Quanto,   // bf16(bf16(acc · columnScale) + bias)
  Fbgemm,   // acc · (rowScale · columnScale) + bias in one rounding, to `wide`
};

// K in fours, M rows, N columns of the result.
struct Int8Product {
  const std::int8_t* codes;        // (M, 4·depth), zero beyond K
  const float* rowScale;           // (M)
  const std::int32_t* rowSum;      // (M) of the codes: undoes the offset of the weight
  const std::uint8_t* panels;      // (⌈N/16⌉, depth, 16, 4), code + 128; padding is 128
  const float* columnScale;        // (N)
  const float* bias;               // (N), or null
  Bf16* out;                       // (M, N)
  std::int64_t rows, depth, columns;
  Int8Finish finish = Int8Finish::Bnb;
  float* wide = nullptr;           // (M, N), takes the place of `out`
};

struct Int8Kernels {
  // Largest |fp16(x)| below `threshold`; columns at or above it are marked with 1. NaN when a value is NaN. Threshold 0: no
  // limit. Several threads may mark the same bytes.
  float (*rowScale)(const Bf16* x, std::int64_t count, float threshold, std::uint8_t* outliers);
  // codes[i] = rint(fp16(x[i]) · (1/scale · 127)), 0 in marked columns (`outliers` null: none). Returns their sum.
  std::int32_t (*quantizeRow)(const Bf16* x, std::int64_t count, float scale, const std::uint8_t* outliers, std::int8_t* codes);
  // Largest |x|; NaN when a value is NaN.
  float (*largest)(const Bf16* x, std::int64_t count);
  // codes[i] = rint(x[i] · factor) within −128 … 127. Returns their sum.
  std::int32_t (*quantizeBy)(const Bf16* x, std::int64_t count, float factor, std::int8_t* codes);
  // codes[i] = rint(bf16(x[i] / scale)) within −128 … 127. Returns their sum.
  std::int32_t (*quantizeOver)(const Bf16* x, std::int64_t count, float scale, std::int8_t* codes);
  // codes[i] = (rint(x[i] · factor) + zero within 0 … 127) − zero. Returns their sum.
  std::int32_t (*quantizeFrom)(const float* x, std::int64_t count, float factor, std::int32_t zero, std::int8_t* codes);
  // Results of the panels first … last−1.
  void (*product)(const Int8Product& p, std::int64_t first, std::int64_t last);
};

inline constexpr float int8Unscale = 6.200124e-05f;  // 1/127² as bitsandbytes writes it

const Int8Kernels& int8Kernels();           // the fastest for this CPU
const Int8Kernels& portableInt8Kernels();
const Int8Kernels* avx2Int8Kernels();       // with FMA and F16C; null when not built or not supported
const Int8Kernels* avxVnniInt8Kernels();    // 256 bits wide with VNNI; null when not built or not supported
const Int8Kernels* avx512Int8Kernels();     // with VNNI; null when not built or not supported

}  // namespace quantspot::quant
