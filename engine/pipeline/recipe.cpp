#include "engine/pipeline/recipe.h"

#include "engine/model/config.h"
#include "engine/model/schedulers/scheduler.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace quantspot::pipeline {
namespace {

constexpr int kLargestSide = 8192;   // beyond it the count of image tokens is a typing error, not a picture

void checkRange(const char* key, int value, int low, int high) {
  if (value < low || value > high) throw std::invalid_argument(fmt::format("{} = {} is out of range; use {} to {}", key, value, low, high));
}

void checkSide(const char* key, int value, int multiple) {
  if (value < multiple || value % multiple != 0)
    throw std::invalid_argument(fmt::format("{} = {} is not a multiple of {}; the nearest is {}", key, value, multiple,
                                            std::clamp((value + multiple / 2) / multiple * multiple, multiple, kLargestSide)));
  checkRange(key, value, multiple, kLargestSide);
}

void checkFinite(const char* key, double value) {
  if (!std::isfinite(value) || value < 0) throw std::invalid_argument(fmt::format("{} = {} is not a number from 0", key, value));
}

void checkScheduler(const protocol::Recipe& recipe, const model::FamilyInfo& family) {
  const auto all = schedulers(family);
  if (recipe.scheduler.empty() || std::ranges::find(all, recipe.scheduler) != all.end()) return;
  const bool known = std::ranges::any_of(model::schedulerInfos(), [&](const auto& info) { return info.id == recipe.scheduler; });
  throw std::invalid_argument(fmt::format("scheduler '{}' {}; use {}", recipe.scheduler, known ? fmt::format("is not for {}", family.label)
                                          : "is not known", fmt::join(all, ", ")));
}

// What nothing would read is refused: a picture whose recipe says more than was done would not be drawn again from it.
void checkOwnOptions(const protocol::Recipe& recipe, const model::FamilyInfo& family) {
  const auto only = [&](const char* key, bool asked, bool known, const char* families) {
    if (asked && !known) throw std::invalid_argument(fmt::format("{} is not for {}, only for {}", key, family.label, families));
  };
  only("bin_size", recipe.bin_size, family.sizeBins, "PixArt-Σ");
  only("prompt_weights", recipe.prompt_weights, family.promptWeights, "Stable Diffusion and SDXL");
  only("clip_skip", recipe.clip_skip > 0, family.clipSkip, "Stable Diffusion, SDXL and SD 3");
  only("guidance_rescale", recipe.guidance_rescale > 0, family.guidanceRescale, "Stable Diffusion and SDXL");
  only("true_cfg", recipe.true_cfg > 1, family.guidance == model::Guidance::Embedded, "models whose guidance is embedded (FLUX); give guidance");
  only("original_size", recipe.original_size.has_value(), family.pictureShape, "SDXL");
  only("target_size", recipe.target_size.has_value(), family.pictureShape, "SDXL");
  only("crop", recipe.crop.has_value(), family.pictureShape, "SDXL");
  only("max_sequence_length", recipe.max_sequence_length.has_value(), family.maxSequenceLength > 0, "models with a T5 text encoder");
  only("negative_prompt", recipe.negative_prompt && !recipe.negative_prompt->empty(),
       std::ranges::find(family.weighted, "text_encoder") != family.weighted.end(), "models that read prompts");
}

}  // namespace

std::vector<std::string_view> schedulers(const model::FamilyInfo& family) {
  std::vector<std::string_view> all;
  for (const model::SchedulerInfo& info : model::schedulerInfos())
    if (info.flow == family.flow) all.push_back(info.id);
  return all;
}

void checkRecipe(const protocol::Recipe& recipe, const model::FamilyInfo& family) {
  const int multiple = recipe.bin_size ? 8 : 8 * family.latentMultiple;   // of usual autoencoders; others are told when they are known
  checkSide("width", recipe.width, multiple);
  checkSide("height", recipe.height, multiple);
  checkRange("steps", recipe.steps, 1, 1000);
  if (family.maxSequenceLength > 0)
    checkRange("max_sequence_length", recipe.max_sequence_length.value_or(family.maxSequenceLength), 1, std::max(family.maxSequenceLength, family.sequenceLimit));
  if (recipe.strength && !(*recipe.strength > 0 && *recipe.strength <= 1))
    throw std::invalid_argument(fmt::format("strength = {} is out of range; use more than 0, at most 1", *recipe.strength));
  checkRange("clip_skip", recipe.clip_skip, 0, 100);
  checkFinite("guidance_rescale", recipe.guidance_rescale);
  checkFinite("guidance", recipe.guidance.value_or(0));
  checkFinite("true_cfg", recipe.true_cfg);
  checkOwnOptions(recipe, family);
  checkScheduler(recipe, family);
}

// Keys and defaults are those of diffusers' classes.
std::int64_t pixelsPerLatent(const std::filesystem::path& model) {
  const model::Config config(model / "vae" / "config.json");
  const bool tiny = config.get<std::string>("_class_name", "") == "AutoencoderTiny";
  const char* key = tiny ? "decoder_block_out_channels" : "block_out_channels";
  const auto blocks = config.get<std::vector<std::int64_t>>(key, std::vector<std::int64_t>(tiny ? 4 : 1));
  if (blocks.empty() || blocks.size() > 8) config.fail(key, "must have 1 to 8 entries");
  return std::int64_t{1} << (blocks.size() - 1);
}

int ownSize(const std::filesystem::path& model) {
  const model::Config config(model / model::familyOf(model).info().denoiser / "config.json");
  if (!config.has("sample_size") || !config.json()["sample_size"].is_number_integer()) return 0;
  return static_cast<int>(config.positive("sample_size", 1) * pixelsPerLatent(model));
}

protocol::Recipe completeRecipe(protocol::Recipe recipe, const std::filesystem::path& model) {
  const model::FamilyInfo& family = model::familyOf(model).info();
  if (recipe.width == 0 || recipe.height == 0) {
    const int own = ownSize(model), side = own > 0 ? own : protocol::Recipe().width;
    if (recipe.width == 0) recipe.width = side;
    if (recipe.height == 0) recipe.height = side;
  }
  if (recipe.max_sequence_length || family.maxSequenceLength == 0) return recipe;
  const std::filesystem::path hints = model / "quantspot.json";
  recipe.max_sequence_length =
      std::filesystem::exists(hints) ? model::Config(hints).get("max_sequence_length", family.maxSequenceLength) : family.maxSequenceLength;
  return recipe;
}

void checkBatch(const protocol::Recipe& first, const protocol::Recipe& other) {
  const auto same = [](const char* key, bool equal) {
    if (!equal) throw std::invalid_argument(fmt::format("pictures of one batch share their {}; draw these one after another", key));
  };
  same("size", first.width == other.width && first.height == other.height && first.bin_size == other.bin_size);
  same("steps", first.steps == other.steps);
  same("guidance", first.guidance == other.guidance);
  same("guidance_rescale", first.guidance_rescale == other.guidance_rescale);
  same("strength", first.strength == other.strength);
  same("vae_tiling and vae_slicing", first.vae_tiling == other.vae_tiling && first.vae_slicing == other.vae_slicing);
  same("prompt_weights", first.prompt_weights == other.prompt_weights);
  same("clip_skip", first.clip_skip == other.clip_skip);
  same("original_size, target_size and crop", first.original_size == other.original_size && first.target_size == other.target_size &&
       first.crop == other.crop);
  same("true_cfg", first.true_cfg == other.true_cfg && usesTrueCfg(first) == usesTrueCfg(other));
  same("scheduler", first.scheduler == other.scheduler);
  same("max_sequence_length", first.max_sequence_length == other.max_sequence_length);
}

std::string schedulerOf(const protocol::Recipe& recipe, const std::filesystem::path& model) {
  if (!recipe.scheduler.empty()) return recipe.scheduler;
  const auto name = model::Config(model / "scheduler" / "scheduler_config.json").get<std::string>("_class_name", "");
  const auto& all = model::schedulerInfos();
  const auto found = std::ranges::find_if(all, [&](const model::SchedulerInfo& info) { return info.className == name; });
  return found == all.end() ? name : std::string(found->id);
}

double guidanceOf(const protocol::Recipe& recipe, const model::FamilyInfo& family) { return recipe.guidance.value_or(family.defaultGuidance); }

bool usesNegative(const protocol::Recipe& recipe, const model::FamilyInfo& family) {
  return family.guidance == model::Guidance::Classifier ? guidanceOf(recipe, family) > 1 : usesTrueCfg(recipe);
}

bool usesTrueCfg(const protocol::Recipe& recipe) { return recipe.true_cfg > 1 && recipe.negative_prompt.has_value(); }

}  // namespace quantspot::pipeline
