#include "quant/conv2d.h"

#include "quant/cpu_features.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace quantspot::quant {
namespace {

constexpr std::int64_t tileBytes = 16 << 20;

at::Tensor checkedKernel(const at::Tensor& weight) {
  if (weight.dim() == 4 && weight.numel() > 0) return weight;
  std::ostringstream text;
  text << "a convolution's weight is (out, in, height, width); this one is " << weight.sizes();
  throw std::invalid_argument(text.str());
}

// As for products: torch's low-precision convolution is only fast with its instructions, and rounds once at the end.
at::ScalarType productType(const at::Tensor& x, at::ScalarType compute) {
  const bool slow = x.device().is_cpu() && !(compute == at::kBFloat16 && hasBf16Gemm());
  return slow ? at::kFloat : compute;
}

}  // namespace

Conv2d::Conv2d(const Quantizer& quantizer, const at::Tensor& weight, std::optional<at::Tensor> bias, Conv2dOptions options)
    : Conv2d(quantizer, quantizer.packConvolution(checkedKernel(weight)), weight.sizes(), std::move(bias), std::move(options)) {}

Conv2d::Conv2d(const Quantizer& quantizer, QuantizedTensor packed, at::IntArrayRef shape, std::optional<at::Tensor> bias, Conv2dOptions options)
    : quantizer_(quantizer), packed_(std::move(packed)), kernel_(shape.slice(1).vec()), options_(std::move(options)) {
  if (!bias) return;
  if (bias->dim() != 1 || bias->size(0) != shape[0])
    throw std::invalid_argument("bias has " + std::to_string(bias->numel()) + " values, the convolution " + std::to_string(shape[0]) + " channels");
  bias_ = bias->to(quantizer.computeType());
  // Codes without scales are a cast, of the whole layer: diffusers' layerwise casting takes the bias, too.
  if (const at::ScalarType held = packed_.parts.front().second.scalar_type(); packed_.parts.size() == 1 && at::isFloatingType(held)) bias_ = bias_.to(held);
}

std::int64_t Conv2d::bytes() const { return packed_.bytes() + (bias_.defined() ? static_cast<std::int64_t>(bias_.nbytes()) : 0); }

at::Tensor Conv2d::forward(const at::Tensor& x) const {
  const at::ScalarType compute = quantizer_.computeType(), product = productType(x, compute);
  const at::Tensor in = x.to(compute).to(product), bias = bias_.defined() ? bias_.to(product) : bias_;
  const std::int64_t channels = packed_.shape[0], perChannel = packed_.shape[1] * c10::elementSize(product);
  // Groups have inputs of their own: such convolutions are small and go in one piece.
  const std::int64_t tile = options_.groups > 1 ? channels : std::clamp<std::int64_t>(tileBytes / perChannel, 1, channels);
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < channels; begin += tile) {
    const std::int64_t count = std::min(tile, channels - begin);
    std::vector<std::int64_t> shape{count};
    shape.insert(shape.end(), kernel_.begin(), kernel_.end());
    const at::Tensor weight = quantizer_.unpackRows(packed_, begin, count).to(product).view(shape);
    const at::Tensor y = at::conv2d(in, weight, bias.defined() ? bias.narrow(0, begin, count) : bias, options_.stride, options_.padding,
                                    options_.dilation, options_.groups);
    parts.push_back(y.to(compute).to(x.scalar_type()));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

}  // namespace quantspot::quant
