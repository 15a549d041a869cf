// A FLUX transformer in the naming of Black Forest Labs, or in diffusers' own.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json_fwd.hpp>

namespace quantspot::model {

bool hasBflFlux(const Shapes& file, const std::string& prefix);
Views bflFluxViews(const Shapes& file, const std::string& prefix);   // throws ModelError: rows that the parts cannot share

// What FluxTransformer2DModel's config.json says of tensors by diffusers' names. axes_dims_rope cannot be read off: it is that of FLUX.1, and
// where the width of a head is another, ModelError with the file's name.
nlohmann::json fluxConfig(const Shapes& tensors, const std::filesystem::path& file);

}  // namespace quantspot::model
