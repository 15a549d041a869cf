#include "engine/protocol/messages.h"

#include <cmath>

namespace quantspot::protocol {

void to_json(nlohmann::json& json, const Recipe& r) {
  json = {{"prompt", r.prompt}, {"seed", r.seed}, {"steps", r.steps}, {"width", r.width}, {"height", r.height},
          {"true_cfg", r.true_cfg}, {"scheduler", r.scheduler}};
  json["max_sequence_length"] = r.max_sequence_length ? nlohmann::json(*r.max_sequence_length) : nlohmann::json(nullptr);
  json["negative_prompt"] = r.negative_prompt ? nlohmann::json(*r.negative_prompt) : nlohmann::json(nullptr);
  json["guidance"] = r.guidance ? nlohmann::json(*r.guidance) : nlohmann::json(nullptr);
  // Only where they are asked for, so that recipes of older studies keep their form.
  if (r.guidance_rescale != 0) json["guidance_rescale"] = r.guidance_rescale;
  if (r.clip_skip != 0) json["clip_skip"] = r.clip_skip;
  if (r.strength) json["strength"] = *r.strength;
  if (r.prompt_weights) json["prompt_weights"] = true;
  if (r.vae_tiling) json["vae_tiling"] = true;
  if (r.vae_slicing) json["vae_slicing"] = true;
  if (r.bin_size) json["bin_size"] = true;
  if (r.original_size) json["original_size"] = *r.original_size;
  if (r.target_size) json["target_size"] = *r.target_size;
  if (r.crop) json["crop"] = *r.crop;
}

void to_json(nlohmann::json& json, const GenerateResult& result) {
  json = {{"png", result.png}, {"report", result.report}};
  if (!result.latents.empty()) json["latents"] = result.latents;
}

void to_json(nlohmann::json& json, const ScoreResult& result) {
  json = {{"metric", result.metric}, {"label", result.label}, {"n", result.n}, {"weights_sha256", result.weights_sha256},
          {"warnings", result.warnings}};
  json["value"] = std::isfinite(result.value) ? nlohmann::json(result.value) : nlohmann::json(nullptr);
  if (result.ci95) json["ci95"] = *result.ci95;
  if (result.published) json["published"] = *result.published;
  if (!result.features.empty()) json["features"] = result.features;
}

void to_json(nlohmann::json& json, const ScanResult& result) {
  json = {{"groups", result.groups}, {"all", result.all}, {"bytes_before", result.bytes_before}, {"bytes_after", result.bytes_after}};
  if (result.found) json["found"] = *result.found;
}

void to_json(nlohmann::json& json, const ExportParams& params) {
  json = {{"model", params.model}, {"precision", params.precision}, {"out", params.out}, {"images", params.images}, {"force", params.force}};
  if (params.recipe) json["recipe"] = *params.recipe;
}

}  // namespace quantspot::protocol
