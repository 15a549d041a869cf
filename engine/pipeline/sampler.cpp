#include "engine/pipeline/sampler.h"

#include "engine/model/autoencoder.h"
#include "engine/model/folder.h"
#include "engine/model/sha256.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/phases.h"
#include "engine/pipeline/recipe.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace quantspot::pipeline {
namespace {

using nlohmann::json;

model::ModelSummary checkModel(const std::filesystem::path& folder) {
  model::ModelSummary summary = model::inspectFolder(folder);
  if (!summary.missing.empty())
    throw model::ModelError(fmt::format("{} is not complete: {}", folder.string(), fmt::join(summary.missing, "; ")));
  return summary;
}

// What an embedding depends on; the model by the state of its files, for it may be trained on while we run.
struct PromptKey {
  std::string files;
  std::vector<std::tuple<std::string, bool, std::optional<std::string>>> prompts;   // prompt, whether there is a negative one, and which
  std::vector<std::string> calibration;
  at::ScalarType compute;
  std::string rules;
  model::EncodeOptions options;
  std::string device;
  bool operator==(const PromptKey&) const = default;
};

PromptKey promptKey(const SampleRequest& request, const model::FamilyInfo& family) {
  PromptKey key{filesStamp(request.model), {}, request.calibration, computeType(request.policy), request.policy.textEncoderRules(),
                encodeOptions(request.recipe), request.device};
  for (const protocol::Recipe& r : allRecipes(request)) {
    const bool negative = usesNegative(r, family);
    key.prompts.emplace_back(r.prompt, negative, negative ? r.negative_prompt : std::nullopt);
  }
  return key;
}

struct Noise {
  std::vector<std::uint64_t> seeds;      // empty: it was given
  bool second = false;                   // drawn after the numbers that encoding a picture takes
  at::Tensor tensor;                     // (B, C, h, w) float32
  std::vector<std::string> hashes;       // of each picture's part
};

bool noiseIsSecond(const SampleRequest& request) { return request.image.has_value() && model::encodingDraws(request.model / "vae"); }

// Every seed on its own, so that a picture's noise does not depend on the batch.
Noise makeNoise(const SampleRequest& request, const model::Family& family, at::IntArrayRef shape) {
  Noise noise;
  if (request.noise) {
    noise.tensor = takeNoise(family, *request.noise, shape);
  } else {
    noise.seeds = seedsOf(request);
    noise.second = noiseIsSecond(request);
    PictureNoise source(noise.seeds);
    if (noise.second) source(shape);
    noise.tensor = source(shape);
  }
  for (const at::Tensor& one : noise.tensor.unbind(0)) noise.hashes.push_back(hashFloats(one));
  return noise;
}

std::vector<std::string_view> thoseFromPictures() {
  std::vector<std::string_view> labels;
  for (const auto& family : model::families())
    if (family->info().imageToImage) labels.push_back(family->info().label);
  return labels;
}

// The request with complete, checked recipes.
SampleRequest complete(SampleRequest request) {
  if (request.image) {
    const model::FamilyInfo& family = model::familyOf(request.model).info();
    if (!family.imageToImage)
      throw std::invalid_argument(fmt::format("{} does not start from a picture; {} do", family.label, fmt::join(thoseFromPictures(), ", ")));
    if (request.recipe.width == 0) request.recipe.width = request.image->width;
    if (request.recipe.height == 0) request.recipe.height = request.image->height;
    if (request.image->width != request.recipe.width || request.image->height != request.recipe.height)
      throw std::invalid_argument(fmt::format("the given picture is {} × {}, but {} × {} pixels are to be drawn; make both the same",
                                              request.image->width,
                                              request.image->height, request.recipe.width, request.recipe.height));
    request.recipe.strength = request.recipe.strength.value_or(family.defaultStrength);
    for (protocol::Recipe& recipe : request.more) recipe.strength = recipe.strength.value_or(family.defaultStrength);
  } else if (request.recipe.strength) {
    throw std::invalid_argument("strength is for image to image; give a picture to start from");
  }
  request.recipe = completeRecipe(request.recipe, request.model);
  checkRecipe(request.recipe, model::familyOf(request.model).info());
  for (protocol::Recipe& recipe : request.more) {
    recipe = completeRecipe(recipe, request.model);
    checkBatch(request.recipe, recipe);
  }
  return request;
}

// The id; of a schedule, its one-line form.
std::string precisionText(const SampleRequest& request) { return request.schedule.empty() ? request.policy.precision : quant::text(request.schedule); }

json recipeBlock(const protocol::Recipe& recipe, const Phases& phases, const std::filesystem::path& model) {
  json block = recipe;
  block["guidance"] = phases.guided() ? json(guidanceOf(recipe, phases.family().info())) : json(nullptr);
  block["scheduler"] = schedulerOf(recipe, model);
  return block;
}

}  // namespace

struct Sampler::State {
  std::optional<PromptKey> key;
  Encoded encoded;
  std::optional<Noise> lastNoise;
  Calibrated calibrated;

  // Whether the embedding that is kept serves this request; else it is made anew.
  bool provideEmbedding(const SampleRequest& request, Phases& phases) {
    const PromptKey wanted = promptKey(request, phases.family().info());
    if (request.adapters.empty() && key == wanted) return true;
    key.reset();                         // nothing is kept if encoding fails
    encoded = {};
    encoded = phases.encode();
    if (request.adapters.empty()) key = wanted;   // what a LoRA does is measured each time
    return false;
  }

  const at::Tensor& noise(const SampleRequest& request, const model::Family& family, at::IntArrayRef shape) {
    if (request.noise || !lastNoise || lastNoise->seeds != seedsOf(request) || lastNoise->second != noiseIsSecond(request) ||
        lastNoise->tensor.sizes() != shape) lastNoise = makeNoise(request, family, shape);
    return lastNoise->tensor;
  }

  // What all pictures of a pass have in common.
  json report(const SampleRequest& request, Phases& phases, const model::ModelSummary& model) const {
    json weights = phases.weights();
    weights["text_encoder"] = encoded.weights;
    return {{"schema", 1}, {"engine", engineBlock(request.device)},
            {"model", {{"name", model.name}, {"family", model.family}, {"weights_sha256", phases.weightsHash()}}},
            {"precision", precisionText(request)}, {"policy", policyBlock(request.policy)}, {"weights", std::move(weights)},
            {"seconds", phases.seconds()}, {"peak_bytes", phases.peaks()}, {"device_peak_bytes", json::object()}, {"batch", 1 + request.more.size()}, {"loras", phases.adapters()}, {"fallbacks", phases.fallbacks()}, {"packed_cache", phases.packedCache()}, {"calibration_prompts", request.calibration.size()}};
  }

  Sample sample(std::size_t index, json recipe, RgbImage image, const at::Tensor& latents, json report) const {
    report["recipe"] = std::move(recipe);
    report["noise_sha256"] = lastNoise->hashes[index];
    report["truncated"] = encoded.truncated[index];
    report["image_sha256"] = model::sha256Hex(image.pixels.data(), image.pixels.size());
    const auto at = static_cast<std::int64_t>(index);
    return {std::move(image), latents.slice(0, at, at + 1), std::move(report), {}};
  }
};

Sampler::Sampler() : state_(std::make_unique<State>()) {}
Sampler::~Sampler() = default;

Sample Sampler::generate(const SampleRequest& request) {
  if (!request.more.empty()) throw std::invalid_argument("one picture was asked for, but the request holds a batch");
  return std::move(generateBatch(request).front());
}

std::vector<Sample> Sampler::generateBatch(const SampleRequest& asked) {
  const c10::InferenceMode inference;
  const Stopwatch watch;
  const std::int64_t floor = residentBytes();
  const std::optional<MemoryOverTime> memory(asked.observe.memory ? std::make_optional<MemoryOverTime>() : std::nullopt);
  const SampleRequest request = complete(asked);
  const model::ModelSummary model = checkModel(request.model);
  const std::vector<protocol::Recipe> recipes = allRecipes(request);
  Phases phases(request);
  const bool reused = state_->provideEmbedding(request, phases);
  const at::Tensor latents = phases.denoise(state_->encoded, [&](std::int64_t channels) {
    return state_->noise(request, phases.family(), {static_cast<std::int64_t>(recipes.size()), channels, phases.latentHeight(),
                                                    phases.latentWidth()});
  }, state_->calibrated);
  std::vector<RgbImage> images = phases.decode(latents);
  trimHeap();
  const double total = watch.seconds();
  json report = state_->report(request, phases, model);
  report["seconds"]["total"] = total;
  report["floor_bytes"] = floor;
  report["prompt_reused"] = reused;
  if (!request.calibration.empty()) report["activation_scales"] = phases.activationScales(state_->calibrated);
  if (reused) report["peak_bytes"]["encode"] = 0;   // nothing was encoded
  if (memory) report["memory_over_time"] = memory->points();
  if (request.observe.flops) report["flops"] = phases.flops();
  const at::Tensor floats = phases.family().packed(latents.to(at::kCPU, at::kFloat));
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < recipes.size(); ++i)
    samples.push_back(state_->sample(i, recipeBlock(recipes[i], phases, request.model), std::move(images[i]), floats, report));
  for (const at::Tensor& call : phases.trajectory()) {
    const at::Tensor all = phases.family().packed(call);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i].trajectory.push_back(all.slice(0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1));
  }
  return samples;
}

}  // namespace quantspot::pipeline
