#include "engine/pipeline/memory_model.h"

#include "engine/model/family.h"
#include "engine/model/ops.h"
#include "engine/pipeline/dry_run.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/phases.h"
#include "engine/pipeline/recipe.h"
#include "quant/plain.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <map>

namespace quantspot::pipeline {
namespace {

// Sizes of the layers that may come and go, in the order of the model.
struct Census {
  std::int64_t largest = 0, largestBlocks = 0, streamed = 0;   // a layer; a block and the next; all
  std::int64_t largestPlain = 0;                               // a layer before it is packed
  bool packs = false;

  void add(const std::string& name, std::int64_t bytes, std::int64_t plain, bool packed) {
    largest = std::max(largest, bytes);
    largestPlain = std::max(largestPlain, plain);
    packs = packs || packed;
    streamed += bytes;
    const std::string block = blockOf(name);
    if (block != block_) {
      before_ = this_;
      this_ = 0;
      block_ = block;
    }
    this_ += bytes;
    largestBlocks = std::max(largestBlocks, before_ + this_);
  }

 private:
  std::string block_;
  std::int64_t before_ = 0, this_ = 0;
};

std::int64_t plainBytes(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  std::int64_t count = static_cast<std::int64_t>(c10::elementSize(type));
  for (const std::int64_t size : shape) count *= size;
  return count;
}

// Of what lives in the heap, so much more is kept in holes between blocks (measured, docs/memory-model.md).
constexpr double kHoles = 0.5;

// What one part needs.
struct PartMemory {
  std::int64_t weights = 0;
  DryPeak activations;
  Census census;

  // While weights are packed: the layer in its own type, and its pieces in float32.
  std::int64_t loading() const { return census.packs ? census.largestPlain + std::min<std::int64_t>(4 * census.largestPlain, 16 << 20) : 0; }
  // `tight`: the phase works in a TightHeap.
  PhaseMemory phase(std::int64_t there, bool tight) const {
    PhaseMemory made{there, activations.bytes, 0};
    const auto holes = static_cast<std::int64_t>(kHoles * static_cast<double>(tight ? activations.smallTight : activations.small));
    made.reserve = std::max(loading() - activations.bytes, model::meansGpu() ? 0 : holes);
    return made;
  }
  PhaseMemory inTurn(bool tight) const { return phase(weights, tight); }
  PhaseMemory group() const { return phase(weights - census.streamed + census.largestBlocks, true); }
  PhaseMemory sequential() const { return phase(weights - census.streamed + census.largest, true); }
};

class Estimate {
 public:
  Estimate(const std::filesystem::path& model, const std::string& policy, const protocol::Recipe& asked, std::size_t batch)
      : policy_(quant::parsePolicy(policy)), family_(model::familyOf(model)) {
    request_.model = model;
    request_.policy = policy_;
    request_.recipe = completeRecipe(asked, model);
    request_.more.assign(batch - 1, request_.recipe);
    request_.device = "cpu";
    phases_.emplace(request_);
  }
  MemoryModel run();

 private:
  model::LoadOptions options(PartMemory& part) const;
  model::Condition condition(const model::PromptEmbedding& one, std::size_t passes) const;

  const quant::Policy policy_;
  const model::Family& family_;
  SampleRequest request_;
  std::optional<Phases> phases_;
};

model::LoadOptions Estimate::options(PartMemory& part) const {
  model::LoadOptions options;
  options.compute = computeType(policy_);
  options.device = at::kMeta;
  options.softmax = softmaxType(policy_);
  measureLayers(options, policy_);
  const auto linear = options.linear;
  options.linear = [&part, linear, type = options.compute](const model::LayerWeight& layer, std::optional<at::Tensor> bias) {
    auto made = linear(layer, std::move(bias));
    part.census.add(layer.name, made->bytes(), plainBytes(layer.shape, type), made->precision() != quant::plainPrecision(type));
    return made;
  };
  const auto convolution = options.convolution;
  options.convolution = [&part, convolution, type = options.compute](const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& how) {
    auto made = convolution(layer, std::move(bias), how);
    part.census.add(layer.name, made ? made->bytes() : plainBytes(layer.shape, type), plainBytes(layer.shape, type), made != nullptr);
    return made;
  };
  return options;
}

model::Condition Estimate::condition(const model::PromptEmbedding& one, std::size_t passes) const {
  model::Condition all = model::joined(std::vector<model::Condition>(passes, one.condition));
  const protocol::Recipe& recipe = request_.recipe;
  family_.addShape(all, {.width = recipe.width, .height = recipe.height}, request_.model);
  return all;
}

MemoryModel Estimate::run() {
  PartMemory text, denoiser, decoder;
  const std::size_t pictures = 1 + request_.more.size();
  model::PromptEmbedding embedding;
  {
    const auto encoders = family_.loadTextEncoders(request_.model, options(text));
    text.weights = encoders->bytes();
    text.activations = peakOfDryRun([&] { embedding = encoders->encode({request_.recipe.prompt}, encodeOptions(request_.recipe)); });
  }
  const model::FamilyInfo& info = family_.info();
  const bool twice = usesNegative(request_.recipe, info), sideBySide = twice && info.guidance == model::Guidance::Classifier;
  const auto passes = static_cast<std::int64_t>(sideBySide ? 2 * pictures : pictures);
  model::LoadOptions how = options(denoiser);
  how.keeps = keepingRule(policy_);
  const auto made = family_.loadDenoiser(request_.model, how);
  denoiser.weights = made->bytes();
  const auto meta = at::TensorOptions(how.compute).device(at::kMeta);
  at::Tensor latents;
  denoiser.activations = peakOfDryRun([&] {
    model::Condition told = condition(embedding, static_cast<std::size_t>(passes));
    if (made->embedsGuidance()) told["guidance"] = at::empty({passes}, meta.dtype(at::kFloat));
    latents = at::empty({static_cast<std::int64_t>(pictures), made->latentChannels(), phases_->latentHeight(), phases_->latentWidth()}, meta);
    made->predict(sideBySide ? at::cat({latents, latents}) : latents, 500, told);
  });
  const auto autoencoder = family_.loadAutoencoder(request_.model, options(decoder));
  decoder.weights = autoencoder->bytes();
  decoder.activations = peakOfDryRun([&] {
    const at::Tensor decoded = autoencoder->decode(latents, {.tiled = request_.recipe.vae_tiling, .sliced = request_.recipe.vae_slicing});
    at::empty_like(decoded);             // of the check that all is finite
  });
  MemoryModel model;
  const std::int64_t all = text.weights + denoiser.weights + decoder.weights;
  model.together = {text.phase(all, false), denoiser.phase(all, false), decoder.phase(all, true)};
  model.inTurn = {text.inTurn(false), denoiser.inTurn(false), decoder.inTurn(true)};
  model.group = {text.group(), denoiser.group(), decoder.group()};
  model.sequential = {text.sequential(), denoiser.sequential(), decoder.sequential()};
  return model;
}

}  // namespace

std::int64_t PlacementMemory::highest() const { return std::max({encode.total(), denoise.total(), decode.total()}); }

MemoryModel memoryModel(const std::filesystem::path& model, const std::string& policy, const protocol::Recipe& recipe, std::size_t batch, bool gpu) {
  const c10::InferenceMode inference;
  const model::MeantForGpu meant(gpu);
  return Estimate(model, policy, recipe, std::max<std::size_t>(batch, 1)).run();
}

}  // namespace quantspot::pipeline
