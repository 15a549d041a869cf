// The two namings of an autoencoder's tensors. Source: diffusers 0.42.1, convert_ldm_vae_checkpoint.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json_fwd.hpp>

namespace quantspot::model {

bool hasLdmVae(const Shapes& file, const std::string& prefix);
Views ldmVaeViews(const Shapes& file, const std::string& prefix);
// AutoencoderKL's config.json as the shapes tell it, without the factors of its latents, which they do not tell.
nlohmann::json ldmVaeConfig(const Shapes& file, const std::string& prefix);

}  // namespace quantspot::model
