// PixArt-Σ: PixArtSigmaPipeline of diffusers 0.42.1, without its binning of sizes: a picture has the size that it was asked for.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makePixArt();

// Its parts; `folder` is the pipeline's, or the transformer's own. The condition: "sequence" (B, L, D) of T5, "mask" (B, L), 1 where a token is.
std::unique_ptr<TextEncoders> loadPixArtTextEncoder(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Denoiser> loadPixArtTransformer(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
