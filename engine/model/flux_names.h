// The original (Black Forest Labs) naming of FLUX layers against that of diffusers' FluxTransformer2DModel
// (diffusers 0.42.1, scripts/convert_flux_to_diffusers.py and loaders/lora_conversion_utils.py).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

// The diffusers layers whose rows, one after another, are the rows of the original layer: "double_blocks.3.img_attn.qkv" is
// to_q, to_k, to_v of transformer_blocks.3.attn. Dots or underscores between the words. Empty: no such layer.
std::vector<std::string> fluxLayers(std::string_view original);

// Whether the rows' two halves change places: the final modulation is shift, scale there and scale, shift in diffusers.
bool swapsHalves(std::string_view diffusersLayer);

}  // namespace quantspot::model
