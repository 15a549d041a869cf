#include "engine/pipeline/latents.h"

#include "engine/model/folder.h"
#include "engine/model/sha256.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <stdexcept>

namespace quantspot::pipeline {

at::Tensor drawNoise(std::uint64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width) {
  return at::randn({1, channels, height, width}, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

at::Tensor takeNoise(const at::Tensor& given, at::IntArrayRef shape) {
  const std::int64_t height = shape[2], width = shape[3];
  const std::vector<std::int64_t> packed = {shape[0], height / 2 * (width / 2), 4 * shape[1]};
  if (!at::isFloatingType(given.scalar_type())) throw model::ModelError("the given latents are not floating point");
  const at::Tensor floats = given.to(at::kCPU, at::kFloat);
  if (given.sizes() == at::IntArrayRef(packed)) return unpackLatents(floats, height, width).contiguous();
  if (given.sizes() == shape) return floats.contiguous();
  throw model::ModelError(fmt::format("the given latents are ({}), but this model and size need ({}) packed or ({})",
                                          fmt::join(given.sizes(), ", "), fmt::join(packed, ", "), fmt::join(shape, ", ")));
}

at::Tensor packLatents(const at::Tensor& latents) {
  const auto b = latents.size(0), c = latents.size(1), h = latents.size(2), w = latents.size(3);
  return latents.reshape({b, c, h / 2, 2, w / 2, 2}).permute({0, 2, 4, 1, 3, 5}).reshape({b, h / 2 * (w / 2), 4 * c});
}

at::Tensor unpackLatents(const at::Tensor& packed, std::int64_t height, std::int64_t width) {
  const auto b = packed.size(0), c = packed.size(2) / 4;
  return packed.reshape({b, height / 2, width / 2, c, 2, 2}).permute({0, 3, 1, 4, 2, 5}).reshape({b, c, height, width});
}

at::Tensor imageIds(std::int64_t height, std::int64_t width, const at::TensorOptions& options) {
  const auto h = height / 2, w = width / 2;
  const at::Tensor rows = at::arange(h, at::kFloat).view({h, 1}).expand({h, w});
  const at::Tensor columns = at::arange(w, at::kFloat).view({1, w}).expand({h, w});
  return at::stack({at::zeros({h, w}), rows, columns}, 2).reshape({h * w, 3}).to(options);
}

RgbImage toRgb(const at::Tensor& decoded) {
  const at::Tensor unit = (decoded * 0.5 + 0.5).clamp(0, 1).to(at::kCPU, at::kFloat);
  const at::Tensor bytes = (unit * 255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  const auto* first = bytes.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), {first, first + bytes.numel()}};
}

std::string hashFloats(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kCPU, at::kFloat).contiguous();
  return model::sha256Hex(floats.const_data_ptr(), floats.nbytes());
}

}  // namespace quantspot::pipeline
