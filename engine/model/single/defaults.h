// What a single file does not tell of its pipeline: the configurations of the published models.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantspot::model {

struct SinglePart {
  std::string name, kind;                // the part's folder; which of contentsOf()'s kinds it is
  const char* libraryClass;              // in model_index.json
  const char* leftOutWith = nullptr;     // the tokenizer that goes with a part which may be absent
};
struct SingleFamily {
  std::string id, pipeline;              // "sdxl"; _class_name
  std::vector<SinglePart> parts;
  std::vector<std::pair<std::string, std::string>> tokenizers;   // folder and a file that it must have (or tokenizer.json)
};
const SingleFamily& singleFamily(std::string_view id);

// absent: parts and tokenizers that the pipeline does without.
nlohmann::json defaultIndex(const SingleFamily& family, const std::vector<std::string>& absent);
// denoiser: the configuration of the transformer or UNet. Of SD 2 that of the 768-pixel model (v-prediction), as diffusers takes it.
nlohmann::json defaultScheduler(const SingleFamily& family, const nlohmann::json& denoiser);
// Adds to a part's configuration what its shapes do not tell: the latents' factors, the picture's size.
void complete(nlohmann::json& config, const SingleFamily& family, std::string_view kind);

}  // namespace quantspot::model
