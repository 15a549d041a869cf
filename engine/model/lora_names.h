// Layer names as kohya's trainers write them: without dots, in diffusers' or in the original naming.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quantspot::model {

// "lora_unet_down_blocks_0_attentions_0_proj_in" → "down_blocks.0.attentions.0.proj_in"; "lora_te2_text_model_…" → "text_encoder_2.text_model.…"
// (lora_te_ and lora_te1_: "text_encoder."). LDM's block numbers ("lora_unet_input_blocks_4_1_…") are those of SDXL, whose trainers alone
// write them. Nothing for other names, FLUX's among them.
std::optional<std::string> kohyaLayer(std::string_view key);

}  // namespace quantspot::model
