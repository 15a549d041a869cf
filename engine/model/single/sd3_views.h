// A transformer of Stable Diffusion 3 or 3.5 in Stability AI's naming. Source: diffusers 0.42.1, convert_sd3_transformer_checkpoint_to_diffusers.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json_fwd.hpp>

namespace quantspot::model {

bool hasOriginalSd3(const Shapes& file, const std::string& prefix);
Views originalSd3Views(const Shapes& file, const std::string& prefix);
// SD3Transformer2DModel's config.json as the shapes tell it; null where they do not: heads are as wide as the norms of queries and keys, or 64, as in
// the published model that has none.
nlohmann::json originalSd3Config(const Shapes& file, const std::string& prefix);

}  // namespace quantspot::model
