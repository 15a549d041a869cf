// Latents between the random generator, the denoiser and the picture, as the pipelines of diffusers 0.42.1 move them.
#pragma once

#include "engine/model/family.h"
#include "engine/pipeline/sampler.h"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string>

namespace quantspot::pipeline {

// Noise that was given: as the family packs it, or `shape` = (B, channels, height, width), any floating type → float32, 4-D.
// Throws ModelError with both shapes when they do not fit.
at::Tensor takeNoise(const model::Family& family, const at::Tensor& given, at::IntArrayRef shape);

// One CPU generator of torch's for each picture of a batch, as torch.randn(…, generator=manual_seed(seed)) uses it, so that what a
// picture draws does not depend on the others.
class PictureNoise {
 public:
  explicit PictureNoise(const std::vector<std::uint64_t>& seeds);
  at::Tensor operator()(at::IntArrayRef shape);   // (B, …), float32 on the CPU: the next numbers of each

 private:
  std::vector<at::Generator> generators_;
};

// (3, H, W) in −1…1 → 8 bits, as VaeImageProcessor: scaled in the tensor's own type, rounded half to even.
RgbImage toRgb(const at::Tensor& decoded);
// (B, 3, H, W) filling width × height, the middle of it, as diffusers' resize_and_crop_tensor; unchanged where it has that size.
at::Tensor resizedAndCropped(const at::Tensor& decoded, std::int64_t width, std::int64_t height);
// SHA-256 (hex) of a tensor's raw float32 bytes, row-major.
std::string hashFloats(const at::Tensor& tensor);

}  // namespace quantspot::pipeline
