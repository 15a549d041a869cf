// LoRA files: low-rank updates of Linear layers (Hu et al. 2021, arXiv:2106.09685), as diffusers and PEFT save them.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace quantspot::model {

struct LoraUpdate {
  at::Tensor down, up;                   // (r, in), (out, r), in the file's type
  double scale = 1;                      // alpha / r: the layer becomes x·Wᵀ + scale · (x·downᵀ)·upᵀ
};

// One name for a layer that libraries' versions call differently: transformers 5 leaves out the "text_model." of CLIP.
std::string loraName(const std::string& layer);

// Layers by loraName(): "transformer_blocks.0.attn.to_q", "text_encoder.text_model.encoder.layers.0.self_attn.q_proj".
// Reads the PEFT naming (lora_A, lora_B; alpha from "lora_adapter_metadata" or .alpha tensors, else alpha = r), diffusers' older
// lora.down/lora.up, the original FLUX layer names of kohya and others (lora_unet_double_blocks_0_img_attn_qkv.lora_down), whose
// fused layers are split, and kohya's of Stable Diffusion (lora_names.h). Updates of 1 × 1 convolutions become matrices. Throws ModelError that
// names the tensor: half of a pair, shapes that do not fit, larger convolutions, DoRA and other kinds.
std::map<std::string, LoraUpdate> readLora(const std::filesystem::path& file);

}  // namespace quantspot::model
