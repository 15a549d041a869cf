// Checkpoints of bitsandbytes 0.50: diffusers and transformers load them by "quantization_config" (quantizers/bitsandbytes).
#pragma once

#include "engine/pipeline/checkpoint.h"

namespace quantspot::pipeline {

std::unique_ptr<CheckpointFormat> bnbCheckpoint(const std::string& precision);   // "bnb-int8", "bnb-nf4", "bnb-fp4-dq", …

}  // namespace quantspot::pipeline
