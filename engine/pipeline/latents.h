// Latents between the random generator, the transformer and the picture, as diffusers' FluxPipeline 0.42.1 moves them.
#pragma once

#include "engine/pipeline/sampler.h"

#include <cstdint>
#include <string>

namespace quantspot::pipeline {

// (1, channels, height, width) float32 of torch's CPU generator: torch.randn(…, generator=manual_seed(seed)).
at::Tensor drawNoise(std::uint64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width);
// Noise that was given: packed (B, S, 4·channels) or `shape` = (B, channels, height, width), any floating type → float32, 4-D.
// Throws ModelError with both shapes when they do not fit.
at::Tensor takeNoise(const at::Tensor& given, at::IntArrayRef shape);

at::Tensor packLatents(const at::Tensor& latents);                                         // (B, C, h, w) → (B, h/2·w/2, 4·C)
at::Tensor unpackLatents(const at::Tensor& packed, std::int64_t height, std::int64_t width);  // height, width: of the latents
at::Tensor imageIds(std::int64_t height, std::int64_t width, const at::TensorOptions& options);  // latents' size → (h/2·w/2, 3)

// (3, H, W) in −1…1 → 8 bits, as VaeImageProcessor: scaled in the tensor's own type, rounded half to even.
RgbImage toRgb(const at::Tensor& decoded);
// SHA-256 (hex) of a tensor's raw float32 bytes, row-major.
std::string hashFloats(const at::Tensor& tensor);

}  // namespace quantspot::pipeline
