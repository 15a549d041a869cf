// Checkpoints of torchao 0.18 in safetensors, as diffusers writes and loads them (torchao/prototype/safetensors).
#pragma once

#include "engine/pipeline/checkpoint.h"

namespace quantspot::pipeline {

// Null for a precision that cannot be written: torchao-int4wo has another form on each device. A GPU is needed to run torchao-fp8dq.
std::unique_ptr<CheckpointFormat> torchAoCheckpoint(const std::string& precision);

}  // namespace quantspot::pipeline
