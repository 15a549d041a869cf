// torchao's int8 weights (quantize_/workflows/int8/int8_tensor.py, version 0.18.0): rows with one scale each, multiplied as
// they are (Int8WeightOnlyConfig) or with activations quantized token by token (Int8DynamicActivationInt8WeightConfig).
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

// Parts: "" codes (out, in) i8; "scale" (out, 1) f32, a bf16 number; "zero_point" (out, 1) i8, all 0.
class TorchAoInt8 final : public Quantizer {
 public:
  // `dynamic`: activations in 8 bits, too.
  TorchAoInt8(std::string name, bool dynamic) : name_(std::move(name)), dynamic_(dynamic) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  std::vector<std::pair<std::string, at::Tensor>> onDisk(const std::string& layer, const QuantizedTensor& packed) const override;

 private:
  std::string name_;
  bool dynamic_;
};

// Keys as torchao's safetensors support writes them: "layer._weight_qdata", "layer._weight_scale", …
std::vector<std::pair<std::string, at::Tensor>> torchAoKeys(const std::string& layer, const QuantizedTensor& packed);

}  // namespace quantspot::quant
