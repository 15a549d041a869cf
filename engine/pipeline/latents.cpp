#include "engine/pipeline/latents.h"

#include "engine/model/folder.h"
#include "engine/model/sha256.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <stdexcept>

namespace quantspot::pipeline {

at::Tensor takeNoise(const model::Family& family, const at::Tensor& given, at::IntArrayRef shape) {
  if (!at::isFloatingType(given.scalar_type())) throw model::ModelError("the given latents are not floating point");
  const at::Tensor floats = family.unpacked(given.to(at::kCPU, at::kFloat), shape[2], shape[3]);
  if (floats.sizes() == shape) return floats.contiguous();
  const at::Tensor packed = family.packed(at::empty(shape, at::TensorOptions(at::kMeta)));
  const std::string other = packed.sizes() == shape ? "" : fmt::format("({}) packed or ", fmt::join(packed.sizes(), ", "));
  throw model::ModelError(fmt::format("the given latents are ({}), but this model and size need {}({})", fmt::join(given.sizes(), ", "), other,
                                      fmt::join(shape, ", ")));
}

PictureNoise::PictureNoise(const std::vector<std::uint64_t>& seeds) {
  for (const std::uint64_t seed : seeds) generators_.push_back(at::detail::createCPUGenerator(seed));
}

at::Tensor PictureNoise::operator()(at::IntArrayRef shape) {
  std::vector<std::int64_t> one = shape.vec();
  one.front() = 1;
  std::vector<at::Tensor> drawn;
  for (const at::Generator& generator : generators_) drawn.push_back(at::randn(one, generator, at::TensorOptions(at::kFloat)));
  return at::cat(drawn);
}

RgbImage toRgb(const at::Tensor& decoded) {
  const at::Tensor unit = (decoded * 0.5 + 0.5).clamp(0, 1).to(at::kCPU, at::kFloat);
  const at::Tensor bytes = (unit * 255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  const auto* first = bytes.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), {first, first + bytes.numel()}};
}

at::Tensor resizedAndCropped(const at::Tensor& decoded, std::int64_t width, std::int64_t height) {
  const std::int64_t highNow = decoded.size(2), wideNow = decoded.size(3);
  if (highNow == height && wideNow == width) return decoded;
  const double ratio = std::max(static_cast<double>(height) / static_cast<double>(highNow), static_cast<double>(width) / static_cast<double>(wideNow));
  const auto wide = static_cast<std::int64_t>(static_cast<double>(wideNow) * ratio), high = static_cast<std::int64_t>(static_cast<double>(highNow) * ratio);
  const at::Tensor resized = at::upsample_bilinear2d(decoded, at::IntArrayRef{high, wide}, false);
  const std::int64_t left = (wide - width) / 2, top = (high - height) / 2;
  return resized.slice(2, top, top + height).slice(3, left, left + width);
}

std::string hashFloats(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kCPU, at::kFloat).contiguous();
  return model::sha256Hex(floats.const_data_ptr(), floats.nbytes());
}

}  // namespace quantspot::pipeline
