// ggml's block formats as precisions: what llama.cpp, stable-diffusion.cpp and ComfyUI-GGUF store in GGUF files.
#pragma once

#include "quant/ggml_types.h"
#include "quant/quantizer.h"

namespace quantspot::quant {

// Parts: "" (out, bytes of a row) uint8, the bytes of a GGUF file. A value is ggml's fp32 one (dequantize_row_*), rounded to bf16.
// The importance-weighted types IQ4_NL and IQ4_XS are read only: their pack() throws.
class Gguf final : public Quantizer {
 public:
  explicit Gguf(GgmlType type) : info_(ggmlType(type)) {}

  std::string_view name() const override { return info_.id; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  // Throws std::invalid_argument also for rows that are no multiple of the block, and values beyond the fp16 scales.
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  // What FLUX files of ComfyUI-GGUF and stable-diffusion.cpp leave alone: everything before and after the blocks.
  bool skips(std::string_view layer) const override;
  // Rows that are no multiple of the block, as llama.cpp does (llama-quant.cpp, tensor_type_fallback): Q2_K and Q3_K become Q4_0
  // (there IQ4_NL, which has the same size), Q4_K Q5_0, Q5_K Q5_1, Q6_K Q8_0; what 32 does not divide either stays bf16.
  std::string_view precisionFor(at::IntArrayRef shape) const override;

  // The bytes of a file as a weight of `shape` (out, in); they are kept as given. Throws std::invalid_argument when they are too
  // few or too many.
  QuantizedTensor adopt(at::Tensor bytes, std::vector<std::int64_t> shape) const;
  at::Tensor values(const QuantizedTensor& packed) const;   // ggml's own, (out, in) fp32; on the CPU
  const GgmlTypeInfo& type() const { return info_; }

 private:
  QuantizedTensor packChecked(const at::Tensor& checked) const;   // bf16, whole blocks

  const GgmlTypeInfo& info_;
};

// The precision of a block type, those that are only read included. Throws std::invalid_argument for F32, F16 and BF16.
const Gguf& ggufQuantizer(GgmlType type);
const Gguf& storedQuantizer(std::string_view id);   // the same by id; throws std::invalid_argument

}  // namespace quantspot::quant
