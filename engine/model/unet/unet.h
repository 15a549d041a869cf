// UNet2DConditionModel of diffusers 0.42.1 (models/unets/unet_2d_condition.py) for Stable Diffusion 1.x, 2.x and SDXL.
#pragma once

#include "engine/model/components.h"

#include <memory>

namespace quantspot::model {

// `folder` is the part's own. The condition: "sequence" (B, L, E); with text_time also "pooled" (B, P) and "time_ids" (B, 6), in pixels.
std::unique_ptr<Denoiser> loadUnet(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
