// The tensors of a UNet for a GGUF file.
#pragma once

#include "engine/model/gguf.h"
#include "engine/model/weights.h"
#include "quant/policy.h"

namespace quantspot::model {

// Named as in the original code (LDM), which ComfyUI-GGUF and stable-diffusion.cpp read: matrices as the policy says, convolutions F16 (F32 or
// BF16 where the policy's precision is that), vectors F32. `weights` and `policy` must outlive the items. Throws ModelError.
std::vector<GgufItem> unetGgufItems(const Weights& weights, const quant::Policy& policy);

}  // namespace quantspot::model
