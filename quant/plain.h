// Weights as torch holds them: fp32, bf16, fp16.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

class Plain final : public Quantizer {
 public:
  Plain(std::string name, at::ScalarType type) : name_(std::move(name)), type_(type) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return type_; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  bool reachesConvolutions() const override { return true; }

 private:
  std::string name_;
  at::ScalarType type_;
};

// The precision whose weights are simply of this type: what a skipped layer gets. Throws std::invalid_argument.
std::string_view plainPrecision(at::ScalarType type);

}  // namespace quantspot::quant
