// Checkpoints of optimum-quanto 0.2.7, as diffusers' quantizer writes and loads them (quantizers/quanto).
#pragma once

#include "engine/pipeline/checkpoint.h"

namespace quantspot::pipeline {

// Null for a precision that is not Quanto's, and for calibrated activations, which diffusers does not load.
std::unique_ptr<CheckpointFormat> quantoCheckpoint(const std::string& precision);

}  // namespace quantspot::pipeline
