#include "engine/model/decoder.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::model {
namespace {

constexpr double kOverlap = 0.25;

// Line by line from `before` into `tile`, along an axis, in the tensors' own type.
void fade(const at::Tensor& before, at::Tensor& tile, std::int64_t axis, std::int64_t extent) {
  extent = std::min({before.size(axis), tile.size(axis), extent});
  for (std::int64_t i = 0; i < extent; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(extent);
    auto line = tile.select(axis, i);
    line.copy_(before.select(axis, before.size(axis) - extent + i) * (1 - share) + line * share);
  }
}

}  // namespace

at::Tensor decodeInTiles(const Decoder& decoder, const at::Tensor& latents) {
  const std::int64_t tile = decoder.tileSize / decoder.scaleFactor, step = std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(tile) * (1 - kOverlap)));
  const auto extent = static_cast<std::int64_t>(static_cast<double>(decoder.tileSize) * kOverlap);
  const std::int64_t kept = decoder.tileSize - extent;
  std::vector<at::Tensor> above, rows;
  for (std::int64_t y = 0; y < latents.size(2); y += step) {
    std::vector<at::Tensor> row, cut;
    for (std::int64_t x = 0; x < latents.size(3); x += step) {
      row.push_back(decoder.decode(latents.slice(2, y, y + tile).slice(3, x, x + tile)));
      if (!above.empty()) fade(above[row.size() - 1], row.back(), 2, extent);
      if (row.size() > 1) fade(row[row.size() - 2], row.back(), 3, extent);
      cut.push_back(row.back().slice(2, 0, kept).slice(3, 0, kept));
    }
    rows.push_back(at::cat(cut, 3));
    above = std::move(row);
  }
  return at::cat(rows, 2);
}

}  // namespace quantspot::model
