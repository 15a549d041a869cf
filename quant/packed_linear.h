// The Linear of every weight that is expanded before it is multiplied: row tiles go to a small scratch, never the whole
// weight, unless it is that small.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

class PackedLinear : public Linear {
 public:
  // `bias` (out) rests as given; it must be of the compute type after bias.to(computeType). Throws std::invalid_argument
  // when its length is not that of the weight's rows.
  PackedLinear(const Quantizer& owner, QuantizedTensor weight, std::optional<at::Tensor> bias);

  at::Tensor forward(const at::Tensor& x) const override;
  std::string_view precision() const override { return owner_.name(); }
  std::int64_t bytes() const override;
  std::int64_t inFeatures() const override { return weight_.shape[1]; }
  std::int64_t outFeatures() const override { return weight_.shape[0]; }

 protected:
  // Fills `to` (rows, in), contiguous on the CPU, bf16 or fp32, with the weight's rows from `begin` on, as unpack() gives
  // them: values of the compute type.
  virtual void expandRows(std::int64_t begin, const at::Tensor& to) const = 0;
  virtual at::Tensor multiply(const at::Tensor& x) const;  // x (M, in) in the compute type → (M, out)

  const QuantizedTensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }  // undefined: none

 private:
  const Quantizer& owner_;
  QuantizedTensor weight_;
  at::Tensor bias_;
};

}  // namespace quantspot::quant
