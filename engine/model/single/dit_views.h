// A DiT in the naming of the original DiT-XL-2-256x256.pt, converted to safetensors.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json_fwd.hpp>

namespace quantspot::model {

bool hasOriginalDit(const Shapes& file, const std::string& prefix);
// What every block has of its own in diffusers' form (embeddings of time and class), all share here; "pos_embed" is computed, not read.
Views originalDitViews(const Shapes& file, const std::string& prefix);   // throws ModelError: rows that q, k and v cannot share
// What DiTTransformer2DModel's config.json says. The number of heads cannot be read off: it is that of the published DiT of this width; null for others.
nlohmann::json originalDitConfig(const Shapes& file, const std::string& prefix);

}  // namespace quantspot::model
