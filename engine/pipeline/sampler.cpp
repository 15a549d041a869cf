#include "engine/pipeline/sampler.h"

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
using PromptKey = std::tuple<std::string, std::string, std::optional<std::string>, at::ScalarType, int, std::string>;

PromptKey promptKey(const SampleRequest& request) {
  const protocol::Recipe& r = request.recipe;
  return {filesStamp(request.model), r.prompt, usesTrueCfg(r) ? r.negative_prompt : std::nullopt,
          computeType(request.policy), r.max_sequence_length.value(), request.device};
}

struct Noise {
  std::uint64_t seed = 0;
  at::Tensor tensor;                     // (1, C, h, w) float32
  std::string hash;
};

json recipeBlock(const protocol::Recipe& recipe, bool guided) {
  json block = recipe;
  block["guidance"] = guided ? json(recipe.guidance.value_or(3.5)) : json(nullptr);
  return block;
}

}  // namespace

struct Sampler::State {
  std::optional<PromptKey> key;
  Encoded encoded;
  std::optional<Noise> lastNoise;
  HashCache hashes;

  // Whether the embedding that is kept serves this request; else it is made anew.
  bool provideEmbedding(const SampleRequest& request, Phases& phases) {
    const PromptKey wanted = promptKey(request);
    if (key == wanted) return true;
    key.reset();                         // nothing is kept if encoding fails
    encoded = {};
    encoded = phases.encode();
    key = wanted;
    return false;
  }

  const Noise& noise(const SampleRequest& request, const std::vector<std::int64_t>& shape) {
    const std::uint64_t seed = request.recipe.seed;
    if (request.noise || !lastNoise || lastNoise->seed != seed || lastNoise->tensor.sizes() != at::IntArrayRef(shape) || given) {
      given = request.noise.has_value();
      const at::Tensor tensor = given ? takeNoise(*request.noise, shape[1], shape[2], shape[3]) : drawNoise(seed, shape[1], shape[2], shape[3]);
      lastNoise = Noise{seed, tensor, hashFloats(tensor)};
    }
    return *lastNoise;
  }

  json report(const SampleRequest& request, const Phases& phases, const model::ModelSummary& model) const {
    json weights = phases.weights();
    weights["text_encoder"] = encoded.weights;
    return {{"schema", 1}, {"engine", engineBlock(request.device)},
            {"model", {{"name", model.name}, {"family", model.family}, {"weights_sha256", hashes.weightsHash(request.model)}}},
            {"precision", request.policy.precision}, {"policy", policyBlock(request.policy)},
            {"recipe", recipeBlock(request.recipe, phases.guided())}, {"noise_sha256", lastNoise->hash}, {"weights", std::move(weights)},
            {"seconds", phases.seconds()}, {"peak_bytes", phases.peaks()}, {"device_peak_bytes", json::object()}, {"truncated", encoded.truncated}};
  }

 private:
  bool given = false;                    // lastNoise belongs to no seed
};

Sampler::Sampler() : state_(std::make_unique<State>()) {}
Sampler::~Sampler() = default;

Sample Sampler::generate(const SampleRequest& asked) {
  const c10::InferenceMode inference;
  const Stopwatch watch;
  const std::int64_t floor = residentBytes();
  SampleRequest request = asked;
  request.recipe = completeRecipe(asked.recipe, asked.model);
  checkRecipe(request.recipe);
  const model::ModelSummary model = checkModel(request.model);
  Phases phases(request);
  const bool reused = state_->provideEmbedding(request, phases);
  const at::Tensor latents = phases.denoise(state_->encoded.conditioning, [&](std::int64_t channels) {
    return state_->noise(request, {1, channels, phases.latentHeight(), phases.latentWidth()}).tensor;
  });
  Sample out{phases.decode(latents), latents.to(at::kCPU, at::kFloat), {}};
  trimHeap();
  const double total = watch.seconds();
  out.report = state_->report(request, phases, model);
  out.report["seconds"]["total"] = total;
  out.report["image_sha256"] = model::sha256Hex(out.image.pixels.data(), out.image.pixels.size());
  out.report["floor_bytes"] = floor;
  out.report["prompt_reused"] = reused;
  if (reused) out.report["peak_bytes"]["encode"] = 0;   // nothing was encoded
  return out;
}

}  // namespace quantspot::pipeline
