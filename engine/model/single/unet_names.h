// The two namings of a UNet's tensors: diffusers' and that of the original latent diffusion code (LDM), which single files, GGUF files and
// some LoRA files have. Source: diffusers 0.42.1, convert_ldm_unet_checkpoint.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <set>

namespace quantspot::model {

// What the numbers of LDM's blocks depend on; up blocks in the order in which they run.
struct UnetLayout {
  std::vector<int> downLayers, upLayers;         // resnets of each block
  std::vector<bool> downAttends, upAttends;
  bool operator==(const UnetLayout&) const = default;
};
UnetLayout layoutOfLdm(const Shapes& file, const std::string& prefix);
UnetLayout layoutOfDiffusers(const std::set<std::string>& names);

// One tensor's or layer's name in the other naming; nothing when there is no such place in the layout.
std::optional<std::string> unetNameFromLdm(const UnetLayout& layout, std::string_view name);
std::optional<std::string> unetNameToLdm(const UnetLayout& layout, std::string_view name);

// Whether the file holds a UNet in LDM's naming, after this prefix.
bool hasLdmUnet(const Shapes& file, const std::string& prefix);
Views ldmUnetViews(const Shapes& file, const std::string& prefix);
// UNet2DConditionModel's config.json as the shapes tell it. What they do not tell is that of the published models: 64 channels a head where
// the projections are linear (SD 2, SDXL), else 8 heads (SD 1); groups of 32.
nlohmann::json ldmUnetConfig(const Shapes& file, const std::string& prefix);

}  // namespace quantspot::model
