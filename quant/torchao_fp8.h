// torchao's 8-bit floats (quantize_/workflows/float8/float8_tensor.py, version 0.18.0): e4m3fn rows with one scale each,
// expanded before the product (Float8WeightOnlyConfig) or multiplied with activations in the same form, token by token
// (Float8DynamicActivationFloat8WeightConfig with PerRow).
#pragma once

#include "quant/kernels/kernels.h"
#include "quant/quantizer.h"

#include <array>

namespace quantspot::quant {

// Values of the e4m3fn codes as bf16, which holds them exactly.
const std::array<Bf16, 256>& e4m3Values();

// Parts: "" codes (out, in) e4m3fn; "scale" (out, 1) f32, a bf16 number. A row of zeros has scale 0 and codes 0; torchao
// stores NaN codes there, which make the layer's output NaN. With dynamic activations a weight whose sides are no multiples
// of 16 stays in bf16, as there: precisionFor().
class TorchAoFp8 final : public Quantizer {
 public:
  TorchAoFp8(std::string name, bool dynamic) : name_(std::move(name)), dynamic_(dynamic) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  std::vector<std::pair<std::string, at::Tensor>> onDisk(const std::string& layer, const QuantizedTensor& packed) const override;
  std::string_view precisionFor(at::IntArrayRef shape) const override;

 private:
  std::string name_;
  bool dynamic_;
};

}  // namespace quantspot::quant
