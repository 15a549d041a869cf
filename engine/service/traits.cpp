#include "engine/service/traits.h"

#include "engine/model/config.h"
#include "engine/model/family.h"
#include "engine/model/schedulers/scheduler.h"
#include "engine/pipeline/recipe.h"
#include "engine/service/models.h"
#include "quant/quantizer.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

std::vector<protocol::Choice> schedulersOf(const model::FamilyInfo& family) {
  std::vector<protocol::Choice> all;
  for (const std::string_view id : pipeline::schedulers(family)) {
    const auto info = std::ranges::find(model::schedulerInfos(), id, &model::SchedulerInfo::id);
    all.push_back({std::string(id), std::string(info->label)});
  }
  return all;
}

// By number: the file's keys are sorted as text. Without names the numbers alone.
std::vector<protocol::Choice> classesOf(const fs::path& folder) {
  const auto count = model::Config(folder / "transformer" / "config.json").positive("num_embeds_ada_norm", 1000);
  const model::Config index(folder / "model_index.json");
  const nlohmann::json names = index.has("id2label") ? index.json()["id2label"] : nlohmann::json::object();
  std::vector<protocol::Choice> all;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const bool named = names.is_object() && names.contains(number) && names[number].is_string();
    all.push_back({number, named ? names[number].get<std::string>() : ""});
  }
  return all;
}

}  // namespace

protocol::ModelTraits modelTraits(const protocol::TraitsParams& params) {
  const fs::path folder = resolveModel(params.model);
  const model::FamilyInfo& family = model::familyOf(folder).info();
  protocol::ModelTraits traits;
  traits.family = family.id, traits.label = family.label;
  traits.schedulers = schedulersOf(family);
  traits.scheduler = pipeline::schedulerOf({}, folder);
  traits.multiple = static_cast<int>(family.latentMultiple * pipeline::pixelsPerLatent(folder));
  traits.width = traits.height = pipeline::ownSize(folder);
  traits.steps = family.defaultSteps;
  traits.guidance = family.defaultGuidance;
  traits.classifier = family.guidance == model::Guidance::Classifier;
  traits.image_to_image = family.imageToImage;
  traits.prompt_weights = family.promptWeights;
  traits.clip_skip = family.clipSkip;
  if (family.id == "dit") traits.classes = classesOf(folder);
  return traits;
}

protocol::FitResult fittingPrecisions(const protocol::FitParams& params) {
  protocol::FitResult result;
  for (const std::vector<std::int64_t>& shape : params.shapes) {
    if (shape.size() != 2 && shape.size() != 4) throw std::invalid_argument(fmt::format("shape {} is no layer's; give two or four sizes", fmt::join(shape, " × ")));
    const std::vector<std::int64_t> flat = {shape[0], shape.size() == 2 ? shape[1] : shape[1] * shape[2] * shape[3]};
    auto& instead = result.instead.emplace_back();
    for (const auto& quantizer : quant::quantizers())
      if (const auto used = quantizer->precisionFor(flat); used != quantizer->name()) instead.emplace(quantizer->name(), used);
  }
  return result;
}

}  // namespace quantspot::service
