// What parts of a pipeline one file holds, in whichever naming.
#pragma once

#include "engine/model/single/views.h"

#include <nlohmann/json.hpp>

namespace quantspot::model {

struct FoundPart {
  std::string kind;                      // "flux", "dit", "sd3", "unet", "vae", "clip", "openclip", "t5"
  Views views;
  nlohmann::json config;                 // as far as the shapes tell it; null: they do not
};

// Every part that is there, each kind once. Throws ModelError with the file: damaged, a pickle, weights with scales beside them.
std::vector<FoundPart> contentsOf(const std::filesystem::path& file);
std::vector<FoundPart> contentsOf(const Shapes& shapes, const std::filesystem::path& file);
const FoundPart* findPart(const std::vector<FoundPart>& parts, std::string_view kind);
// "flux", "dit", "sd3", "sd" or "sdxl"; empty: there is neither transformer nor UNet among them.
std::string familyOf(const std::vector<FoundPart>& parts);
// Throws ModelError for the endings of pickles (.ckpt, .pt, .pth, .bin, .pkl), which are programs: they are never read.
void refusePickle(const std::filesystem::path& file);

}  // namespace quantspot::model
