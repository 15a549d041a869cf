#include "engine/model/family.h"

#include "engine/model/autoencoder.h"
#include "engine/model/config.h"
#include "engine/model/dit/dit.h"
#include "engine/model/flux/flux.h"
#include "engine/model/pixart/pixart.h"
#include "engine/model/sd/sd.h"
#include "engine/model/sd3/sd3.h"
#include "engine/model/sdxl/sdxl.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>

namespace quantspot::model {

const std::vector<std::unique_ptr<Family>>& families() {
  static const std::vector<std::unique_ptr<Family>> all = [] {
    std::vector<std::unique_ptr<Family>> made;
    made.push_back(makeFlux());
    made.push_back(makeStableDiffusion());
    made.push_back(makeSdxl());
    made.push_back(makeStableDiffusion3());
    made.push_back(makePixArt());
    made.push_back(makeDit());
    return made;
  }();
  return all;
}

const Family& familyOf(const std::filesystem::path& folder) {
  const Config index(folder / "model_index.json");
  const auto name = index.get<std::string>("_class_name", "");
  std::vector<std::string_view> known;
  for (const auto& family : families()) {
    const auto& pipelines = family->info().pipelines;
    if (std::ranges::find(pipelines, name) != pipelines.end()) return *family;
    known.insert(known.end(), pipelines.begin(), pipelines.end());
  }
  index.fail("_class_name", fmt::format("is not supported; {} {}", fmt::join(known, ", "), known.size() == 1 ? "is" : "are"));
}

std::unique_ptr<Autoencoder> Family::loadAutoencoder(const std::filesystem::path& folder, const LoadOptions& options) const {
  return loadVae(folder / "vae", options);
}

std::unique_ptr<ImageEncoder> Family::loadImageEncoder(const std::filesystem::path& folder, const LoadOptions& options) const {
  return loadVaeEncoder(folder / "vae", options);
}

std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) {
  return familyOf(folder).loadTextEncoders(folder, options);
}

std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) {
  return familyOf(folder).loadDenoiser(folder, options);
}

std::unique_ptr<Autoencoder> loadAutoencoder(const std::filesystem::path& folder, const LoadOptions& options) {
  return familyOf(folder).loadAutoencoder(folder, options);
}

const at::Tensor& conditionOf(const Condition& condition, const std::string& name) {
  const auto found = condition.find(name);
  if (found == condition.end()) throw ModelError(fmt::format("the denoiser needs '{}', which the text encoders did not make", name));
  return found->second;
}

Condition joined(const std::vector<Condition>& conditions) {
  Condition all;
  for (const auto& [name, first] : conditions.front()) {
    std::vector<at::Tensor> parts;
    for (const Condition& one : conditions) parts.push_back(conditionOf(one, name));
    all[name] = at::cat(parts);
  }
  return all;
}

}  // namespace quantspot::model
