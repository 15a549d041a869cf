// torchao's int4 weights as they run on a CPU (prototype/quantization/int4/int4_opaque_tensor.py, version 0.18.0, algorithm
// TINYGEMM): groups along a row with a scale and a midpoint each.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

// Parts: "" codes (out, in / 2) u8: in each group the first half of the codes in the low nibbles, the second in the high
// ones; "scale_and_zero" (in / group, out, 2) bf16. The product takes (code − 8) · scale + zero in fp32; unpack() rounds that
// to bf16. A weight whose width is no multiple of the group stays in bf16, as there: precisionFor().
class TorchAoInt4 final : public Quantizer {
 public:
  explicit TorchAoInt4(std::int64_t group = defaultGroup);

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  // "layer._weight_qdata" in the layout of torch's int4 product on this machine, "layer._weight_scale_and_zero".
  std::vector<std::pair<std::string, at::Tensor>> onDisk(const std::string& layer, const QuantizedTensor& packed) const override;
  std::string_view precisionFor(at::IntArrayRef shape) const override { return shape[1] % group_ == 0 ? std::string_view(name_) : "bf16"; }
  std::vector<std::string_view> options() const override { return {"group"}; }
  std::unique_ptr<Quantizer> with(std::string_view option, std::string_view value) const override;

  at::Tensor codes(const QuantizedTensor& packed) const;  // (out, in) u8, 0 … 15
  // The same weight as torchao's Int4Tensor (quantization/quantize_/workflows/int4/int4_tensor.py): "layer._weight_qdata" (out, in / 2) i8 with
  // code − 8, even columns in the low nibbles; "…_scale" and "…_zero_point" (in / group, out) bf16.
  std::vector<std::pair<std::string, at::Tensor>> plainTensors(const std::string& layer, const QuantizedTensor& packed) const;
  std::int64_t group() const { return group_; }

 private:
  static constexpr std::int64_t defaultGroup = 128;
  std::string name_;
  std::int64_t group_;
};

}  // namespace quantspot::quant
