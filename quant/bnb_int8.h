// LLM.int8() of bitsandbytes (nn/modules.py:742, backends/default/ops.py): int8 rows with one fp32 scale each, activations
// quantized per row, and columns of large activations multiplied apart in 16 bits.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

struct BnbInt8Options {
  float threshold = 6;  // columns with any |x| at or above it are outliers; 0: none is
};

// Parts: "" codes (out, in) int8; "SCB" (out) fp32, the largest magnitude of each row.
class BnbInt8 final : public Quantizer {
 public:
  explicit BnbInt8(std::string name, BnbInt8Options options = {}) : name_(std::move(name)), options_(options) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;  // also throws for weights beyond fp16's range
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  std::vector<std::string_view> options() const override { return {"threshold"}; }
  std::unique_ptr<Quantizer> with(std::string_view option, std::string_view value) const override;

 private:
  std::string name_;
  BnbInt8Options options_;
};

}  // namespace quantspot::quant
