#include "quant/packed_linear.h"

#include "quant/cpu_features.h"
#include "quant/kernels/kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::quant {
namespace {

// The product packs the activations anew for every tile, so that small tiles cost more than they save in cache (measured:
// 4 MiB 15 % slower than 16 MiB at 1024 × 3072 × 3072 in fp32, 64 MiB slower again).
constexpr std::int64_t tileBytes = 16 << 20;

std::int64_t rowsPerTile(std::int64_t bytes, std::int64_t rows, std::int64_t columns, std::int64_t elementSize) {
  const std::int64_t fit = std::max<std::int64_t>(16, bytes / (columns * elementSize));
  const std::int64_t tiles = (rows + fit - 1) / fit;
  return (rows + tiles - 1) / tiles;
}

// As few rows of activations as these leave the processor waiting for the weight, so that a tile should not leave the cache.
constexpr std::int64_t fewRows = 16, fewRowsTileBytes = 256 << 10;

}  // namespace

PackedLinear::PackedLinear(const Quantizer& owner, QuantizedTensor weight, std::optional<at::Tensor> bias)
    : owner_(owner), weight_(std::move(weight)), bias_(bias.value_or(at::Tensor())) {
  if (bias_.defined() && (bias_.dim() != 1 || bias_.size(0) != weight_.shape[0]))
    throw std::invalid_argument("bias has " + std::to_string(bias_.numel()) + " values, the weight " +
                                std::to_string(weight_.shape[0]) + " rows");
}

std::int64_t PackedLinear::bytes() const {
  return weight_.bytes() + (bias_.defined() ? static_cast<std::int64_t>(bias_.nbytes()) : 0);
}

at::Tensor PackedLinear::forward(const at::Tensor& x) const {
  const at::Tensor rows = x.reshape({-1, inFeatures()}).to(weight_.dtype).contiguous();
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outFeatures();
  const at::Tensor y = x.device().is_cpu() ? multiply(rows) : multiplyElsewhere(rows);
  return y.to(x.scalar_type()).view(shape);
}

at::Tensor PackedLinear::multiplyElsewhere(const at::Tensor& x) const { return at::linear(x, owner_.unpack(weight_), bias()); }

at::ScalarType TiledLinear::productType() const {
  return weight().dtype == at::kBFloat16 && hasBf16Gemm() ? at::kBFloat16 : at::kFloat;
}

at::Tensor TiledLinear::biasRows(std::int64_t begin, std::int64_t count) const {
  const at::Tensor all = bias();
  return all.defined() ? all.narrow(0, begin, count) : all;
}

at::Tensor TiledLinear::timesRows(const at::Tensor& x, const at::Tensor& rows) {
  if (x.scalar_type() != at::kFloat || x.size(0) > fewRows) return at::linear(x, rows);
  const at::Tensor out = at::empty({x.size(0), rows.size(0)}, x.options());
  const std::int64_t columns = rows.size(0), depth = rows.size(1);
  const float *from = x.const_data_ptr<float>(), *weight = rows.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, columns, 8, [&](std::int64_t begin, std::int64_t end) {
    kernels().dotRows(from, x.size(0), weight + begin * depth, end - begin, depth, to + begin, columns);
  });
  return out;
}

at::Tensor TiledLinear::multiplyTile(const at::Tensor& x, const at::Tensor& rows, std::int64_t begin) const {
  const at::Tensor added = biasRows(begin, rows.size(0));
  if (x.scalar_type() != at::kFloat || x.size(0) > fewRows)
    return at::linear(x, rows, added.defined() ? added.to(x.scalar_type()) : added);
  const at::Tensor y = timesRows(x, rows);
  return added.defined() ? y.add_(added) : y;
}

at::Tensor TiledLinear::multiply(const at::Tensor& x) const {
  const at::Tensor in = x.to(productType());
  const std::int64_t bytes = in.scalar_type() == at::kFloat && x.size(0) <= fewRows ? fewRowsTileBytes : tileBytes;
  const std::int64_t tile = rowsPerTile(bytes, outFeatures(), inFeatures(), in.element_size());
  const at::Tensor scratch = at::empty({tile, inFeatures()}, in.options());
  if (tile == outFeatures()) {
    expandRows(0, scratch);
    return multiplyTile(in, scratch, 0).to(x.scalar_type());
  }
  const at::Tensor out = at::empty({x.size(0), outFeatures()}, x.options());
  for (std::int64_t begin = 0; begin < outFeatures(); begin += tile) {
    const std::int64_t count = std::min(tile, outFeatures() - begin);
    const at::Tensor part = scratch.narrow(0, 0, count);
    expandRows(begin, part);
    out.narrow(1, begin, count).copy_(multiplyTile(in, part, begin));
  }
  return out;
}

}  // namespace quantspot::quant
