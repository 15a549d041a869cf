// Text encoders in single files: CLIP and T5 as transformers names them behind a prefix, and OpenCLIP with its fused projections.
// Source: diffusers 0.42.1, convert_open_clip_checkpoint.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json_fwd.hpp>

namespace quantspot::model {

// CLIP's text half. The activation cannot be read off: quick_gelu, as all published CLIP-L have it; gelu where there is a text projection
// (OpenCLIP's, in transformers' naming).
bool hasClip(const Shapes& file, const std::string& prefix);
Views clipViews(const Shapes& file, const std::string& prefix);
nlohmann::json clipConfig(const Shapes& file, const std::string& prefix);

// OpenCLIP's text half. penultimate: without the last layer, which SD 2 does not use; as diffusers leaves it out, there is no text projection then.
bool hasOpenClip(const Shapes& file, const std::string& prefix);
Views openClipViews(const Shapes& file, const std::string& prefix, bool penultimate);
nlohmann::json openClipConfig(const Shapes& file, const std::string& prefix, bool penultimate);

// T5's encoder, version 1.1 (gated GELU).
bool hasT5(const Shapes& file, const std::string& prefix);
Views t5Views(const Shapes& file, const std::string& prefix);
nlohmann::json t5Config(const Shapes& file, const std::string& prefix);

}  // namespace quantspot::model
