// Stable Diffusion 1.x and 2.x: StableDiffusionPipeline of diffusers 0.42.1.
#pragma once

#include "engine/model/family.h"

namespace quantspot::model {

std::unique_ptr<Family> makeStableDiffusion();

}  // namespace quantspot::model
