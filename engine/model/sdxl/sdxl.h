// Stable Diffusion XL, base and Turbo: StableDiffusionXLPipeline of diffusers 0.42.1.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makeSdxl();

}  // namespace quantspot::model
