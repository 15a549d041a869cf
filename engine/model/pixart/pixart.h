// PixArt-Σ: PixArtSigmaPipeline of diffusers 0.42.1. A picture is drawn in the size that it was asked for,
// unless the recipe wants the nearest of the sizes that the model was trained on.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makePixArt();

// Its parts; `folder` is the pipeline's, or the transformer's own. The condition: "sequence" (B, L, D) of T5, "mask" (B, L), 1 where a token is.
std::unique_ptr<TextEncoders> loadPixArtTextEncoder(const std::filesystem::path& folder, const LoadOptions& options);
// (width, height) in pixels of the bin that diffusers' pipeline picks for a transformer of this sample_size. Throws std::out_of_range for one that
// has no bins.
std::array<int, 2> pixArtBin(int width, int height, std::int64_t sampleSize);
std::unique_ptr<Denoiser> loadPixArtTransformer(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
