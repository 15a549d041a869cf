// Writes a FLUX transformer or a UNet of Stable Diffusion as one GGUF file, with the names that ComfyUI-GGUF and stable-diffusion.cpp read.
#pragma once

#include "quant/policy.h"

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace quantspot::model {

struct GgufSummary {
  std::int64_t bytes = 0;                    // of the file
  std::map<std::string, std::int64_t> types; // ggml type → how many tensors
};

// `folder` is a pipeline's folder with a transformer of FLUX or a UNet. The policy's precisions are gguf-*, bf16, fp16 and fp32; layers that a
// block cannot hold get what Quantizer::precisionFor says, vectors are F32, convolutions F16. The weights are read and packed one after the other.
// onTensor may throw; an incomplete file is removed then. Throws ModelError, also where a policy tells apart what the file fuses (q,
// k and v; in single blocks the MLP, too).
GgufSummary convertToGguf(const std::filesystem::path& folder, const quant::Policy& policy, const std::filesystem::path& out,
                          const std::function<void(std::size_t done, std::size_t total)>& onTensor = {});

}  // namespace quantspot::model
