#include "engine/model/patches.h"

#include "engine/model/folder.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

constexpr std::int64_t kWidening = 4;

// (N) float32 → (N, width): sines, then cosines.
at::Tensor waves(const at::Tensor& positions, std::int64_t width) {
  const auto exponents = at::arange(width / 2, positions.options().dtype(at::kDouble)) / (static_cast<double>(width) / 2.0);
  const auto angles = at::outer(positions, at::pow(10000, exponents).reciprocal());
  return at::cat({angles.sin(), angles.cos()}, 1);
}

at::Tensor places(std::int64_t count, std::int64_t base, double scale) {
  return at::arange(count, at::kFloat) / (static_cast<double>(count) / static_cast<double>(base)) / scale;
}

}  // namespace

at::Tensor sincosPositions(std::int64_t width, std::int64_t rows, std::int64_t columns, std::int64_t base, double scale) {
  const at::Tensor row = places(rows, base, scale).view({rows, 1}).expand({rows, columns}),
      column = places(columns, base, scale).view({1, columns}).expand({rows, columns});
  return at::cat({waves(column.reshape(-1), width / 2), waves(row.reshape(-1), width / 2)}, 1).to(at::kFloat);
}

Patches::Patches(Parameters& p, const std::string& name, const PatchShape& shape)
    : shape_(shape), projection_(p.conv(name + ".proj", shape.channels, shape.width, shape.patch, true, {.stride = shape.patch, .padding = 0})) {
  if (shape.largest > 0) table_ = p.tensor(name + ".pos_embed", {1, shape.largest * shape.largest, shape.width});
}

at::Tensor Patches::positions(std::int64_t rows, std::int64_t columns) const {
  if (!table_.defined()) return sincosPositions(shape_.width, rows, columns, shape_.sample / shape_.patch, shape_.scale).unsqueeze(0);
  const std::int64_t side = shape_.largest;
  if (rows > side || columns > side)
    throw ModelError(fmt::format("the picture has {} × {} patches, and the transformer knows positions of {} × {}; use a smaller size", columns,
        rows, side, side));
  const auto middle = table_.view({side, side, -1}).slice(0, (side - rows) / 2, (side - rows) / 2 + rows)
                          .slice(1, (side - columns) / 2, (side - columns) / 2 + columns);
  return middle.reshape({1, rows * columns, -1});
}

at::Tensor Patches::tokens(const at::Tensor& latents) const {
  const std::int64_t rows = latents.size(2) / shape_.patch, columns = latents.size(3) / shape_.patch;
  if (rows * shape_.patch != latents.size(2) || columns * shape_.patch != latents.size(3))
    throw ModelError(fmt::format("latents of {} × {} have no whole patches of {} (patch_size); use another size", latents.size(3), latents.size(2),
        shape_.patch));
  const at::Tensor flat = projection_(latents).flatten(2).transpose(1, 2);
  return (flat + positions(rows, columns).to(flat.device())).to(flat.scalar_type()).contiguous();
}

at::Tensor Patches::joined(const at::Tensor& tokens, std::int64_t height, std::int64_t width) const {
  const std::int64_t p = shape_.patch, rows = height / p, columns = width / p, channels = tokens.size(2) / (p * p);
  return tokens.reshape({-1, rows, columns, p, p, channels}).permute({0, 5, 1, 3, 2, 4}).reshape({-1, channels, height, width});
}

Activation FeedForward::activation(const std::string& name) {
  return name == "gelu-approximate" ? findActivation("gelu_pytorch_tanh") : name == "gelu" ? findActivation("gelu") : nullptr;
}

FeedForward::FeedForward(Parameters& p, const std::string& name, std::int64_t width, Activation activation)
    : up_(p.linear(name + "net.0.proj", width, kWidening * width)), down_(p.linear(name + "net.2", kWidening * width, width)),
      activation_(activation) {}

}  // namespace quantspot::model
