#include "quant/packed_linear.h"

#include "quant/cpu_features.h"
#include "quant/device_products.h"
#include "quant/kernels/dots.h"
#include "quant/kernels/kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

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
constexpr std::int64_t deviceTileBytes = 128 << 20;   // the largest layers of FLUX fit in one tile
constexpr std::int64_t pieceColumns = 2048;   // without tiles: dotRows pieces of them stay in the cache (512: slower by a fifth and more)

// Expanding leaves too few loads in flight for the processor to find the next row by itself (5 of 19 GB/s, measured).
void fetch(const std::uint8_t* from, std::int64_t bytes) {
  constexpr std::int64_t line = 64;
  for (std::int64_t i = 0; i < bytes; i += line) __builtin_prefetch(from + i);
}

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
  const at::Tensor y = runsHere(rows) ? multiply(rows) : multiplyElsewhere(rows);
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
  if (x.scalar_type() != at::kFloat || x.size(0) > fewRows || rows.size(0) % dotRows != 0) return at::linear(x, rows);
  const at::Tensor out = at::empty({x.size(0), rows.size(0)}, x.options());
  const std::int64_t columns = rows.size(0), depth = rows.size(1);
  const float *from = x.const_data_ptr<float>(), *weight = rows.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, columns / dotRows, 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t column = begin * dotRows; column < end * dotRows; column += dotRows) {
      float sums[fewRows][dotRows] = {};
      addDots()(from, depth, x.size(0), weight + column * depth, depth, depth, sums);
      for (std::int64_t row = 0; row < x.size(0); ++row) std::copy_n(sums[row], dotRows, to + row * columns + column);
    }
  });
  return out;
}

// x of Number's type → (M, out) in float32.
template <class Number, class Dots>
at::Tensor TiledLinear::multiplyFew(const at::Tensor& x, Dots dots) const {
  const std::int64_t rows = x.size(0), columns = inFeatures(), outputs = outFeatures();
  const at::Tensor out = at::empty({rows, outputs}, at::kFloat);
  const auto* from = static_cast<const Number*>(x.const_data_ptr());
  float* to = out.mutable_data_ptr<float>();
  const PackedRows packed = packedRows();
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 14) / columns);
  at::parallel_for(0, (outputs + dotRows - 1) / dotRows, grain, [&](std::int64_t begin, std::int64_t end) {
    Number pieces[dotRows * pieceColumns] = {};
    for (std::int64_t row = begin * dotRows; row < std::min(end * dotRows, outputs); row += dotRows) {
      const std::int64_t count = std::min<std::int64_t>(dotRows, outputs - row);
      float sums[fewRows][dotRows] = {};
      for (std::int64_t column = 0; column < columns; column += pieceColumns) {
        const std::int64_t width = std::min(pieceColumns, columns - column);
        for (std::int64_t r = 0; r < count; ++r) {
          const std::int64_t later = row + r + dotRows, skipped = packed.perRow * column / columns, place = packed.rows ? later % packed.rows : later;
          if (packed.bytes && later < outputs) fetch(packed.bytes + place * packed.perRow + skipped, packed.perRow * width / columns);
          expandPiece({row + r, column, width}, pieces + r * pieceColumns);
        }
        dots(from + column, columns, rows, pieces, pieceColumns, width, sums);
      }
      for (std::int64_t m = 0; m < rows; ++m)
        for (std::int64_t r = 0; r < count; ++r) to[m * outputs + row + r] = sums[m][r];
    }
  });
  return out;
}

// x (M, in) bf16 → (M, out) in float32: torch has no bf16 product whose result is not rounded. Some rows of the weight stay in the
// cache, one or two bf16 numbers for each value, while all of x passes.
at::Tensor TiledLinear::multiplyInParts(const at::Tensor& x) const {
  constexpr std::int64_t tile = 64, together = 8;  // rows of the weight, rows of x
  const std::int64_t rows = x.size(0), columns = inFeatures(), outputs = outFeatures(), parts = bf16Parts();
  const at::Tensor out = at::empty({rows, outputs}, at::kFloat);
  const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
  auto* to = out.mutable_data_ptr<float>();
  const AddBf16Dots dots = avx512AddBf16Dots();
  at::parallel_for(0, (outputs + tile - 1) / tile, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Bf16> pieces(parts * tile * pieceColumns);
    std::vector<float> sums(tile * rows), whole(parts > 1 ? pieceColumns : 0);
    for (std::int64_t row = begin * tile; row < std::min(end * tile, outputs); row += tile) {
      const std::int64_t count = std::min(tile, outputs - row), groups = (count + dotRows - 1) / dotRows;
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (std::int64_t column = 0; column < columns; column += pieceColumns) {
        const std::int64_t width = std::min(pieceColumns, columns - column);
        for (std::int64_t r = 0; r < count; ++r) {
          Bf16* const high = pieces.data() + r * pieceColumns;
          if (parts == 1) {
            expandPiece({row + r, column, width}, high);
          } else {
            expandPiece({row + r, column, width}, whole.data());
            kernels().split(whole.data(), width, high, high + tile * pieceColumns);
          }
        }
        for (std::int64_t m = 0; m < rows; m += together)
          for (std::int64_t i = 0; i < groups * parts; ++i) {
            const Bf16* weight = pieces.data() + (i / groups * tile + i % groups * dotRows) * pieceColumns;
            dots(from + m * columns + column, columns, std::min(together, rows - m), weight, pieceColumns, width,
                 reinterpret_cast<float(*)[dotRows]>(sums.data() + (i % groups * rows + m) * dotRows));
          }
      }
      for (std::int64_t m = 0; m < rows; ++m)
        for (std::int64_t r = 0; r < count; ++r) to[m * outputs + row + r] = sums[(r / dotRows * rows + m) * dotRows + r % dotRows];
    }
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

at::Tensor TiledLinear::finishSums(const at::Tensor& sums) const {
  const at::Tensor added = bias();
  return added.defined() ? sums.add(added) : sums;
}

at::Tensor TiledLinear::multiplyElsewhere(const at::Tensor& x) const {
  const DeviceProducts* products = deviceProducts(x);
  const std::optional<DeviceWeight> packed = products && x.scalar_type() == at::kBFloat16 ? deviceWeight() : std::nullopt;
  if (!packed) return PackedLinear::multiplyElsewhere(x);
  if (x.size(0) <= DeviceProducts::fewRows) return finishSums(products->few(*packed, x)).to(x.scalar_type());
  const std::int64_t tile = rowsPerTile(deviceTileBytes, outFeatures(), inFeatures(), x.element_size());
  if (tile == outFeatures()) return multiplyTile(x, products->expand(*packed, 0, tile, x.options()), 0).to(x.scalar_type());
  const at::Tensor out = at::empty({x.size(0), outFeatures()}, x.options());
  for (std::int64_t begin = 0; begin < outFeatures(); begin += tile) {
    const std::int64_t count = std::min(tile, outFeatures() - begin);
    out.narrow(1, begin, count).copy_(multiplyTile(x, products->expand(*packed, begin, count, x.options()), begin));
  }
  return out;
}

at::Tensor TiledLinear::multiply(const at::Tensor& x) const {
  const at::Tensor in = x.to(productType());
  const bool narrow = in.scalar_type() == at::kBFloat16;
  if (hasPieces() && x.size(0) <= fewRows) {
    if ((narrow || (bf16Parts() == 1 && hasBf16Gemm())) && avx512AddBf16Dots())
      return finishSums(multiplyFew<Bf16>(in.to(at::kBFloat16), avx512AddBf16Dots())).to(x.scalar_type());
    if (!narrow) return finishSums(multiplyFew<float>(in, addDots())).to(x.scalar_type());
  }
  if (!narrow && bf16Parts() > 0 && hasBf16Gemm() && avx512AddBf16Dots()) return finishSums(multiplyInParts(x.to(at::kBFloat16))).to(x.scalar_type());
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
