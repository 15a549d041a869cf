// optimum-quanto's 4- and 2-bit weights (nn/qmodule.py, tensor/optimizers/max_optimizer.py, tensor/packed.py,
// tensor/weights/tinygemm; version 0.2.7): groups of up to 128 along a row with a scale and a shift each.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

// Groups, row by row, are the rows of a matrix (G, group). Its codes are packed into ⌈G · bits / 8⌉ rows of bytes, of which
// the lowest bits are the first rows of the matrix. Parts: "" codes u8; "_scale" and "_shift" (G, 1) bf16. The weight is
// bf16(bf16(code · scale) − shift).
//
// 4 bits in groups of 128 multiply by torch's int4 product, as in torchao-int4wo, and hold what that takes instead of the
// shift: "_scale_shift" (in / 128, out, 2) bf16, scale and midpoint. The shift is then 8 · scale − midpoint, with a rounding
// that quanto writes to disk, too.
class QuantoBits final : public Quantizer {
 public:
  QuantoBits(std::string name, int bits) : name_(std::move(name)), bits_(bits) {}

  std::string_view name() const override { return name_; }
  at::ScalarType computeType() const override { return at::kBFloat16; }
  QuantizedTensor pack(const at::Tensor& weight) const override;
  at::Tensor unpack(const QuantizedTensor& packed) const override;
  std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const override;
  bool reachesConvolutions() const override { return true; }
  std::vector<std::pair<std::string, at::Tensor>> onDisk(const std::string& layer, const QuantizedTensor& packed) const override;

  // A flattened convolution: always with shifts, because the int4 product is only for Linear layers.
  QuantizedTensor packConvolution(const at::Tensor& weight) const override;

  at::Tensor codes(const QuantizedTensor& packed) const;  // (out, in) u8

 private:
  QuantizedTensor packGroups(const at::Tensor& weight, bool midpoints) const;

  std::string name_;
  int bits_;
};

}  // namespace quantspot::quant
