// optimum-quanto's 8-bit weights (nn/qmodule.py, tensor/optimizers/absmax_optimizer.py, library/qbytes_mm.py; version 0.2.7):
// int8 or e4m3fn rows with one bf16 scale each; int8 also with activations in 8 bits, whose scales a calibration finds.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

// Parts: "" codes (out, in) i8 or e4m3fn; "_scale" (out, 1) bf16. A row of zeros has scale 0 and codes 0; in e4m3fn quanto
// stores NaN codes there, which make the layer's output NaN.
class QuantoBytes final : public Quantizer {
 public:
  enum class Kind { Int8, Fp8, Int8Activations };
  QuantoBytes(std::string name, Kind kind) : name_(std::move(name)), kind_(kind) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  // With Kind::Int8Activations the layer is a CalibratedLinear.
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  bool reachesConvolutions() const override { return true; }
  std::vector<std::pair<std::string, at::Tensor>> onDisk(const std::string& layer, const QuantizedTensor& packed) const override;

 private:
  std::string name_;
  Kind kind_;
};

}  // namespace quantspot::quant
