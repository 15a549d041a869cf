// torch's dynamic quantization with the fbgemm engine (torch/ao/quantization, quantized/cpu/qlinear_dynamic.cpp; version
// 2.13): int8 weights, and activations to 7 unsigned bits by the range of each input; everything else in fp32.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

// Parts: "" codes (out, in) i8; "scale" f32, (1) or with `perChannel` (out). Results are equal to fbgemm's to the bit; an input
// with inf or NaN gives NaN (torch refuses it).
class Int8Dynamic final : public Quantizer {
 public:
  explicit Int8Dynamic(bool perChannel = false)
      : name_(perChannel ? "int8-dynamic?weights=per-channel" : "int8-dynamic"), perChannel_(perChannel) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kFloat; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  std::vector<std::string_view> options() const override { return {"weights"}; }
  std::unique_ptr<Quantizer> with(std::string_view option, std::string_view value) const override;

 private:
  std::string name_;
  bool perChannel_;
};

}  // namespace quantspot::quant
