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

void checkSide(const char* key, int value) {
  if (value < 16 || value % 16 != 0)
    throw std::invalid_argument(fmt::format("{} = {} is not a multiple of 16; the nearest is {}", key, value,
                                            std::clamp((value + 8) / 16 * 16, 16, kLargestSide)));
  checkRange(key, value, 16, kLargestSide);
}

void checkFinite(const char* key, double value) {
  if (!std::isfinite(value) || value < 0) throw std::invalid_argument(fmt::format("{} = {} is not a number from 0", key, value));
}

constexpr int kDefaultLength = 512;    // of diffusers' FluxPipeline, and its limit

}  // namespace

const std::vector<std::string>& schedulers() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> flow;       // the families of today were all trained on flow matching
    for (const model::SchedulerInfo& info : model::schedulerInfos())
      if (info.flow) flow.emplace_back(info.id);
    return flow;
  }();
  return all;
}

void checkRecipe(const protocol::Recipe& recipe) {
  checkSide("width", recipe.width);
  checkSide("height", recipe.height);
  checkRange("steps", recipe.steps, 1, 1000);
  checkRange("max_sequence_length", recipe.max_sequence_length.value_or(kDefaultLength), 1, kDefaultLength);
  checkFinite("guidance", recipe.guidance.value_or(0));
  checkFinite("true_cfg", recipe.true_cfg);
  if (std::ranges::find(schedulers(), recipe.scheduler) == schedulers().end())
    throw std::invalid_argument(fmt::format("scheduler '{}' is not known; use {}", recipe.scheduler, fmt::join(schedulers(), ", ")));
}

protocol::Recipe completeRecipe(protocol::Recipe recipe, const std::filesystem::path& model) {
  if (recipe.max_sequence_length) return recipe;
  const std::filesystem::path hints = model / "quantspot.json";
  recipe.max_sequence_length =
      std::filesystem::exists(hints) ? model::Config(hints).get("max_sequence_length", kDefaultLength) : kDefaultLength;
  return recipe;
}

void checkBatch(const protocol::Recipe& first, const protocol::Recipe& other) {
  const auto same = [](const char* key, bool equal) {
    if (!equal) throw std::invalid_argument(fmt::format("pictures of one batch share their {}; draw these one after another", key));
  };
  same("size", first.width == other.width && first.height == other.height);
  same("steps", first.steps == other.steps);
  same("guidance", first.guidance == other.guidance);
  same("true_cfg", first.true_cfg == other.true_cfg && usesTrueCfg(first) == usesTrueCfg(other));
  same("scheduler", first.scheduler == other.scheduler);
  same("max_sequence_length", first.max_sequence_length == other.max_sequence_length);
}

bool usesTrueCfg(const protocol::Recipe& recipe) { return recipe.true_cfg > 1 && recipe.negative_prompt.has_value(); }

}  // namespace quantspot::pipeline
