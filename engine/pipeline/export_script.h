// The Python beside an export: run.py renders the recipe with exactly these files, requirements.txt pins the packages that it was checked with.
#pragma once

#include "engine/protocol/messages.h"
#include "quant/policy.h"

#include <filesystem>
#include <string>

namespace quantspot::pipeline {

struct ScriptRequest {
  std::filesystem::path model;           // folder of the pipeline that is exported
  quant::Policy policy;
  protocol::Recipe recipe;               // complete
  std::string imageHash;                 // of the pixels of the judged picture of this recipe; empty: none
};

// Name of the class in diffusers or transformers of a part of the pipeline in `model`, by its model_index.json; "": of the pipeline itself.
std::string className(const std::filesystem::path& model, const std::string& part);

// Python source. Noise is drawn in float32 and then cast, as QuantSpot does. Throws std::invalid_argument for what diffusers cannot be asked
// for (weighted words, image to image).
std::string runScript(const ScriptRequest& request);
std::string requirements(const quant::Policy& policy);

// Whether the variant's library has no file of it and packs the plain weights when the program starts (int8-dynamic): run.py does so.
bool packsAtStart(const quant::Policy& policy);
// The weights that such a variant is packed from. Throws std::invalid_argument where a rule of the policy names another packed precision or
// reaches beyond the denoiser.
quant::Policy weightsBefore(const quant::Policy& policy);

}  // namespace quantspot::pipeline
