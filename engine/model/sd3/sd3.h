// Stable Diffusion 3 and 3.5: StableDiffusion3Pipeline of diffusers 0.42.1.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makeStableDiffusion3();

// Its parts; `folder` is the pipeline's. The condition: "sequence" (B, 77 + L, D), CLIP's padded to T5's width and T5's behind it; "pooled" (B, P).
// A pipeline without text_encoder_3 has zeros in place of T5's.
std::unique_ptr<TextEncoders> loadSd3TextEncoders(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Denoiser> loadSd3Transformer(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
