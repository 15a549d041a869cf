#include "engine/protocol/messages.h"

#include <cmath>
#include <limits>
#include <stdexcept>

namespace quantspot::protocol {
namespace {

using nlohmann::json;

// nlohmann would turn 2.5 into 2 and -1 into a huge seed; a recipe must mean what it says.
template <class Integer>
void readInteger(const json& from, const char* key, Integer& value) {
  const auto found = from.find(key);
  if (found == from.end()) return;
  const bool negativeUnsigned = std::is_unsigned_v<Integer> && found->is_number_integer() && !found->is_number_unsigned();
  if (!found->is_number_integer() || negativeUnsigned)
    throw std::invalid_argument("recipe: " + std::string(key) + " = " + found->dump() + " is not a whole number" +
                                (std::is_unsigned_v<Integer> ? " from 0" : ""));
  const auto wide = found->get<std::int64_t>();
  if (!std::is_unsigned_v<Integer> && (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()))
    throw std::invalid_argument("recipe: " + std::string(key) + " = " + found->dump() + " is out of range");
  value = found->get<Integer>();
}

template <class Value>
void readOptional(const json& from, const char* key, std::optional<Value>& value) {
  const auto found = from.find(key);
  if (found != from.end() && !found->is_null()) value = found->get<Value>();
}

}  // namespace

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

void from_json(const nlohmann::json& json, GenerateResult& result) {
  result = {json.at("png"), json.at("report"), json.value("latents", std::vector<std::string>{})};
}

void from_json(const nlohmann::json& json, Recipe& r) {
  r = Recipe{};
  r.prompt = json.at("prompt").get<std::string>();
  readOptional(json, "negative_prompt", r.negative_prompt);
  readOptional(json, "guidance", r.guidance);
  readInteger(json, "seed", r.seed);
  readInteger(json, "steps", r.steps);
  readInteger(json, "width", r.width);
  readInteger(json, "height", r.height);
  readInteger(json, "clip_skip", r.clip_skip);
  readOptional(json, "original_size", r.original_size);
  readOptional(json, "strength", r.strength);
  r.prompt_weights = json.value("prompt_weights", r.prompt_weights);
  r.vae_tiling = json.value("vae_tiling", r.vae_tiling);
  r.vae_slicing = json.value("vae_slicing", r.vae_slicing);
  r.bin_size = json.value("bin_size", r.bin_size);
  readOptional(json, "target_size", r.target_size);
  readOptional(json, "crop", r.crop);
  r.guidance_rescale = json.value("guidance_rescale", r.guidance_rescale);
  if (json.contains("max_sequence_length") && !json["max_sequence_length"].is_null())
    readInteger(json, "max_sequence_length", r.max_sequence_length.emplace());
  r.true_cfg = json.value("true_cfg", r.true_cfg);
  r.scheduler = json.value("scheduler", r.scheduler);
}

void to_json(nlohmann::json& json, const ScoreResult& result) {
  json = {{"metric", result.metric}, {"label", result.label}, {"n", result.n}, {"weights_sha256", result.weights_sha256},
          {"warnings", result.warnings}};
  json["value"] = std::isfinite(result.value) ? nlohmann::json(result.value) : nlohmann::json(nullptr);
  if (result.ci95) json["ci95"] = *result.ci95;
  if (result.published) json["published"] = *result.published;
  if (!result.features.empty()) json["features"] = result.features;
}

void from_json(const nlohmann::json& json, ScoreResult& result) {
  json.at("metric").get_to(result.metric);
  json.at("label").get_to(result.label);
  const auto& value = json.at("value");
  result.value = value.is_null() ? std::numeric_limits<double>::infinity() : value.get<double>();
  result.n = json.value("n", std::int64_t{1});
  result.ci95 = json.contains("ci95") ? std::optional(json["ci95"].get<std::array<double, 2>>()) : std::nullopt;
  result.published = json.contains("published") ? std::optional(json["published"].get<double>()) : std::nullopt;
  result.weights_sha256 = json.value("weights_sha256", "");
  result.warnings = json.value("warnings", std::vector<std::string>());
  result.features = json.value("features", std::vector<std::vector<float>>());
}

void to_json(nlohmann::json& json, const ScanResult& result) {
  json = {{"groups", result.groups}, {"all", result.all}, {"bytes_before", result.bytes_before}, {"bytes_after", result.bytes_after}};
  if (result.found) json["found"] = *result.found;
}

void from_json(const nlohmann::json& json, ScanResult& result) {
  json.at("groups").get_to(result.groups);
  json.at("all").get_to(result.all);
  json.at("bytes_before").get_to(result.bytes_before);
  json.at("bytes_after").get_to(result.bytes_after);
  if (json.contains("found")) result.found = json["found"].get<FoundPolicy>();
}

void to_json(nlohmann::json& json, const ExportParams& params) {
  json = {{"model", params.model}, {"precision", params.precision}, {"out", params.out}, {"images", params.images}, {"force", params.force}};
  if (params.recipe) json["recipe"] = *params.recipe;
}

void from_json(const nlohmann::json& json, ExportParams& params) {
  json.at("precision").get_to(params.precision);
  json.at("out").get_to(params.out);
  params.model = json.value("model", params.model);
  params.images = json.value("images", params.images);
  params.force = json.value("force", params.force);
  readOptional(json, "recipe", params.recipe);
}

}  // namespace quantspot::protocol
