// Convolutions whose weight rests packed, in any precision: as (out, in · kh · kw), like a Linear weight.
#pragma once

#include "quant/quantizer.h"

namespace quantspot::quant {

struct Conv2dOptions {
  std::vector<std::int64_t> stride = {1, 1}, padding = {0, 0}, dilation = {1, 1};
  std::int64_t groups = 1;
};

// forward() is const and safe from several threads.
class Convolution {
 public:
  virtual ~Convolution() = default;
  virtual at::Tensor forward(const at::Tensor& x) const = 0;     // (N, in, H, W) → (N, out, H′, W′) of x's type
  virtual std::string_view precision() const = 0;
  virtual std::int64_t bytes() const = 0;                        // weight, scales and bias as they rest in memory
};

// Activations stay in the compute type, also at precisions that round
// those of a Linear: that is what Quanto's QConv2d does with its input, and the other references leave convolutions alone.
class Conv2d final : public Convolution {
 public:
  // weight (out, in / groups, kh, kw) of any floating type; bias (out). Throws std::invalid_argument as pack() does, and for
  // a weight of another rank or a bias of another length. `quantizer` lives as long as this.
  Conv2d(const Quantizer& quantizer, const at::Tensor& weight, std::optional<at::Tensor> bias, Conv2dOptions options = {});

  // `packed` is what packConvolution() made of a weight of this shape.
  Conv2d(const Quantizer& quantizer, QuantizedTensor packed, at::IntArrayRef shape, std::optional<at::Tensor> bias, Conv2dOptions options = {});

  // The weight is unpacked for some output channels at a time, and the result rounded to the compute type once, after the bias.
  at::Tensor forward(const at::Tensor& x) const override;
  std::string_view precision() const override { return quantizer_.name(); }
  std::int64_t bytes() const override;
  const QuantizedTensor& weight() const { return packed_; }

 private:
  const Quantizer& quantizer_;
  QuantizedTensor packed_;
  at::Tensor bias_;
  std::vector<std::int64_t> kernel_;  // (in / groups, kh, kw)
  Conv2dOptions options_;
};

}  // namespace quantspot::quant
