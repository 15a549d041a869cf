// Weights of 8 bits with one scale per row, multiplied without touching the activations.
#pragma once

#include "quant/packed_linear.h"

namespace quantspot::quant {

// Fills `to` with the codes of part "" (i8 or e4m3fn) from row `begin` on, exactly.
void expandCodes(const QuantizedTensor& packed, std::int64_t begin, const at::Tensor& to);

// bf16(bf16(x·weight) + bias), where the weight is bf16(code · scale).
class ScaledRows final : public TiledLinear {
 public:
  // `scale` names the part with the row scales: (out, 1) of f32 or bf16.
  ScaledRows(const Quantizer& owner, std::string_view scale, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : TiledLinear(owner, std::move(weight), std::move(bias)), scale_(scale) {}

 protected:
  void expandRows(std::int64_t begin, const at::Tensor& to) const override;
  at::Tensor multiplyTile(const at::Tensor& x, const at::Tensor& rows, std::int64_t begin) const override;

 private:
  std::string scale_;
};

// y rounded to bf16, then the bias added in bf16.
at::Tensor roundThenAdd(const at::Tensor& y, const at::Tensor& bias);

}  // namespace quantspot::quant
