// FLUX.1 (dev, schnell, Krea): FluxPipeline of diffusers 0.42.1.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makeFlux();

// Its parts, for makeFlux(); `folder` is the pipeline's. The condition: "sequence" (B, L, D) of T5, "pooled" (B, P) of CLIP, "guidance"
// (B) where it is embedded.
std::unique_ptr<TextEncoders> loadFluxTextEncoders(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Denoiser> loadFluxTransformer(const std::filesystem::path& folder, const LoadOptions& options);

// The 2 × 2 packing of its latents, and the positions of the packed tokens.
at::Tensor packLatents(const at::Tensor& latents);                                         // (B, C, h, w) → (B, h/2·w/2, 4·C)
at::Tensor unpackLatents(const at::Tensor& packed, std::int64_t height, std::int64_t width);  // height, width: of the latents
at::Tensor imageIds(std::int64_t height, std::int64_t width, const at::TensorOptions& options);  // latents' size → (h/2·w/2, 3)

}  // namespace quantspot::model
