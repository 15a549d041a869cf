#include "engine/pipeline/companion.h"

#include "engine/model/safetensors.h"
#include "engine/model/weights.h"
#include "engine/pipeline/folder_copy.h"

#include <ATen/ATen.h>

#include <string>
#include <string_view>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;

struct Part {
  const char* folder;
  std::string_view prefix;               // of its tensors in the file
};
constexpr Part kParts[] = {
    {"text_encoder", "cond_stage_model.transformer."}, {"text_encoder_2", "cond_stage_model.1.transformer."}, {"vae", "vae."}};

std::string nameOf(const Part& part, const std::string& name) {
  return std::string(part.prefix) + (std::string_view(part.folder).starts_with("text_encoder") ? clipName(name) : name);
}

}  // namespace

bool needsCompanion(const fs::path& model) { return fs::exists(model / "unet" / "config.json"); }

void writeCompanion(const fs::path& model, const fs::path& file) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const Part& part : kParts) {
    if (!fs::is_directory(model / part.folder)) continue;
    const model::Weights weights(model / part.folder);
    for (const std::string& name : weights.names())
      if (!name.ends_with("position_ids")) tensors.emplace_back(nameOf(part, name), weights.read(name));
  }
  model::saveSafeTensors(file, tensors, {{"format", "pt"}});
}

std::int64_t companionBytes(const fs::path& model) {
  std::int64_t bytes = 0;
  for (const Part& part : kParts)
    if (fs::is_directory(model / part.folder)) bytes += partBytes(model / part.folder);
  return bytes;
}

}  // namespace quantspot::pipeline
