// Checkpoints of torchao 0.18 in safetensors, as diffusers writes and loads them (torchao/prototype/safetensors).
#pragma once

#include "engine/pipeline/checkpoint.h"

namespace quantspot::pipeline {

// Null for a precision that is not torchao's. torchao-int4wo is written in torchao's plain packing (Int4Tensor): the values are those of this
// program's weights, and any machine loads them; torchao multiplies with them on a GPU (package mslk), as it does for torchao-fp8dq.
std::unique_ptr<CheckpointFormat> torchAoCheckpoint(const std::string& precision);

}  // namespace quantspot::pipeline
