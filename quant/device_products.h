// The products that have kernels on a CUDA device; torch's own operations do the rest. Everything runs on torch's current
// stream; a kernel that cannot be started throws std::runtime_error.
#pragma once

#include "quant/kernels/device_weight.h"
#include "quant/kernels/int8.h"

#include <ATen/core/Tensor.h>

namespace quantspot::quant {

// The integer half of a layer with activations in 8 bits.
struct Int8Layer {
  Int8Finish finish;           // also says how the activations find their codes
  at::Tensor codes;            // (out, in) i8
  at::Tensor columnScales;     // (out) f32
  at::Tensor bias;             // (out) of any floating type, or undefined
  float threshold = 0;         // Bnb: columns with any |x| at or above it are left out; 0: none is
  float scale = 1;             // Quanto, Fbgemm: of all activations
  std::int32_t zero = 0;       // Fbgemm
};

struct Int8Result {
  at::Tensor y;                // (M, out) bf16, with Int8Finish::Fbgemm fp32
  at::Tensor outliers;         // (in) u8, 1 for each column that was left out; undefined without a threshold
};

struct DeviceProducts {
  // Rows begin … begin + count − 1 of a weight, (count, in) of bf16, fp16 or fp32, as the CPU expands them.
  at::Tensor (*expand)(const DeviceWeight& weight, std::int64_t begin, std::int64_t count, const at::TensorOptions& options);
  // x (M ≤ fewRows, in) bf16 → x·weightᵀ, (M, out) f32; the packed weight is read once.
  at::Tensor (*few)(const DeviceWeight& weight, const at::Tensor& x);
  // The same for any M on the tensor cores, the weight rounded to bf16. Throws for ggml's blocks. Not used by the layers: expand()
  // and torch's product is the other way, and which is faster has to be measured (tests/bench/cuda_linear.cpp prints both).
  at::Tensor (*fused)(const DeviceWeight& weight, const at::Tensor& x);
  // x (M, in), bf16 or (Fbgemm) fp32. Equal to the CPU's result to the bit.
  Int8Result (*int8)(const at::Tensor& x, const Int8Layer& layer);
  // x (M, in) bf16 times codes (out, in) e4m3fn with scales (out, 1) f32, activations quantized row by row → (M, out) bf16. On
  // devices without 8-bit floats the codes are multiplied as bf16.
  at::Tensor (*fp8)(const at::Tensor& x, const at::Tensor& codes, const at::Tensor& scales, const at::Tensor& bias);

  static constexpr std::int64_t fewRows = 16;
};

// Null when `on` is not on a CUDA device, or the kernels were not built.
const DeviceProducts* deviceProducts(const at::Tensor& on);
// Whether the CPU's own kernels take it.
inline bool runsHere(const at::Tensor& tensor) { return tensor.device().is_cpu() && !deviceProducts(tensor); }

}  // namespace quantspot::quant
