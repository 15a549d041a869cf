// Layerwise casting of diffusers (hooks/layerwise_casting.py): weight and bias rest in fp8, without scales, and are cast
// back to bf16 for each product.
#pragma once

#include "quant/kernels/kernels.h"
#include "quant/quantizer.h"

#include <array>

namespace quantspot::quant {

class Fp8Layerwise final : public Quantizer {
 public:
  // `storage`: at::kFloat8_e4m3fn or at::kFloat8_e5m2.
  Fp8Layerwise(std::string name, at::ScalarType storage);

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  bool skips(std::string_view layer) const override;
  bool reachesConvolutions() const override { return true; }

 private:
  std::string name_;
  at::ScalarType storage_;
  std::array<Bf16, 256> table_;  // bf16 value of each code
};

}  // namespace quantspot::quant
