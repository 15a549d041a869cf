#include "engine/pipeline/memory_model.h"

#include "engine/model/family.h"
#include "engine/model/ops.h"
#include "engine/pipeline/dry_run.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/phases.h"
#include "engine/pipeline/recipe.h"
#include "quant/plain.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <optional>

namespace quantspot::pipeline {
namespace {

std::int64_t plainBytes(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  std::int64_t count = static_cast<std::int64_t>(c10::elementSize(type));
  for (const std::int64_t size : shape) count *= size;
  return count;
}

// Of what lives in the heap, so much more is kept in holes between blocks (measured, docs/memory-model.md).
constexpr double kHoles = 0.5;
// Tiles of a weight that needs several, and what each gives, come and go between activations: the heap keeps one in its holes (measured, FLUX).
// Code and tables that libraries bring in for shapes they have not seen (measured: 3 to 12 MiB).
constexpr std::int64_t kLibraries = 6 << 20;

// What one part needs where its layers stay, or come and go.
struct PartMemory {
  std::int64_t weights = 0;              // of all of it
  std::int64_t streamed = 0;             // of the layers that come and go
  std::int64_t largest = 0, largestPlain = 0;   // of a layer that is packed: packed, and before
  DryPeak peak;                          // of activations, and of streamed layers that are there

  void add(std::int64_t bytes, std::int64_t plain, bool packed, bool comes) {
    if (comes) streamed += bytes;
    if (packed) largest = std::max(largest, bytes), largestPlain = std::max(largestPlain, plain);
  }
  // While weights are packed: the layer in its own type, and its pieces in float32; the packed one itself, where it does not stay.
  std::int64_t loading() const {
    return largestPlain + std::min<std::int64_t>(4 * largestPlain, 16 << 20) + (streamed > 0 ? largest : 0);
  }
  // `tight`: the phase works in a TightHeap. `others`: of parts that stay beside it.
  PhaseMemory phase(bool tight, std::int64_t others = 0) const {
    PhaseMemory made{weights - streamed + peak.held + others, peak.bytes - peak.held, 0};
    const auto holes = static_cast<std::int64_t>(kHoles * static_cast<double>(tight ? peak.smallTight : peak.small));
    if (model::meansGpu()) made.reserve = std::max<std::int64_t>(loading() - peak.bytes, 0);
    else made.reserve = std::max(loading() - peak.bytes, holes + (tight ? 0 : peak.tiles)) + kLibraries;
    return made;
  }
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
  struct Parts {
    PartMemory text, denoiser, decoder;
  };
  Parts dryRun(Offload mode) const;
  PartMemory encode(Offload mode, model::PromptEmbedding& embedding) const;
  PartMemory denoise(Offload mode, const model::PromptEmbedding& embedding, at::Tensor& latents) const;
  PartMemory decode(Offload mode, const at::Tensor& latents) const;
  model::LoadOptions options(PartMemory& part, const std::shared_ptr<LayerStream>& stream) const;
  model::Condition condition(const model::PromptEmbedding& one, std::size_t passes) const;

  const quant::Policy policy_;
  const model::Family& family_;
  SampleRequest request_;
  std::optional<Phases> phases_;
};

std::shared_ptr<LayerStream> dryStream(Offload mode) {
  return mode == Offload::None ? nullptr : std::make_shared<LayerStream>(mode, makeDryTransfer);
}

model::LoadOptions Estimate::options(PartMemory& part, const std::shared_ptr<LayerStream>& stream) const {
  model::LoadOptions options;
  options.compute = computeType(policy_);
  options.device = at::kMeta;
  options.softmax = softmaxType(policy_);
  measureLayers(options, policy_, stream);
  const bool comes = stream != nullptr;
  options.linear = [&part, comes, make = options.linear, type = options.compute](const model::LayerWeight& layer, std::optional<at::Tensor> bias) {
    auto made = make(layer, std::move(bias));
    part.add(made->bytes(), plainBytes(layer.shape, type), made->precision() != quant::plainPrecision(type), comes);
    return made;
  };
  options.stored = [&part, comes, make = options.stored](const model::StoredWeight& weight, std::optional<at::Tensor> bias) {
    auto made = make(weight, std::move(bias));
    part.add(made->bytes(), 0, false, comes);
    return made;
  };
  options.convolution = [&part, comes, this, make = options.convolution, type = options.compute](
                            const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& how) {
    auto made = make(layer, std::move(bias), how);
    if (made) part.add(made->bytes(), plainBytes(layer.shape, type), !staysPlain(layer, policy_), comes);
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

PartMemory Estimate::encode(Offload mode, model::PromptEmbedding& embedding) const {
  PartMemory text;
  const auto stream = dryStream(mode);
  const auto encoders = family_.loadTextEncoders(request_.model, options(text, stream));
  text.weights = encoders->bytes();
  text.peak = peakOfDryRun([&] {
    embedding = encoders->encode({request_.recipe.prompt}, encodeOptions(request_.recipe));
    if (stream) stream->rest();
  });
  return text;
}

PartMemory Estimate::denoise(Offload mode, const model::PromptEmbedding& embedding, at::Tensor& latents) const {
  PartMemory denoiser;
  const std::size_t pictures = 1 + request_.more.size();
  const model::FamilyInfo& info = family_.info();
  const bool twice = usesNegative(request_.recipe, info), sideBySide = twice && info.guidance == model::Guidance::Classifier;
  const auto passes = static_cast<std::int64_t>(sideBySide ? 2 * pictures : pictures);
  const auto stream = dryStream(mode);
  model::LoadOptions how = options(denoiser, stream);
  how.keeps = keepingRule(policy_);
  const auto made = family_.loadDenoiser(request_.model, how);
  denoiser.weights = made->bytes();
  const auto meta = at::TensorOptions(how.compute).device(at::kMeta);
  denoiser.peak = peakOfDryRun([&] {
    model::Condition told = condition(embedding, static_cast<std::size_t>(passes));
    if (made->embedsGuidance()) told["guidance"] = at::empty({passes}, meta.dtype(at::kFloat));
    latents = at::empty({static_cast<std::int64_t>(pictures), made->latentChannels(), phases_->latentHeight(), phases_->latentWidth()}, meta);
    for (int step = 0; step < (stream ? 2 : 1); ++step)   // from the second on, the order of the layers is known
      made->predict(sideBySide ? at::cat({latents, latents}) : latents, 500, told);
    if (stream) stream->rest();
  });
  return denoiser;
}

PartMemory Estimate::decode(Offload mode, const at::Tensor& latents) const {
  PartMemory decoder;
  const auto stream = dryStream(mode);
  const auto autoencoder = family_.loadAutoencoder(request_.model, options(decoder, stream));
  decoder.weights = autoencoder->bytes();
  decoder.peak = peakOfDryRun([&] {
    const at::Tensor decoded = autoencoder->decode(latents, {.tiled = request_.recipe.vae_tiling, .sliced = request_.recipe.vae_slicing});
    at::empty_like(decoded);             // of the check that all is finite
    if (stream) stream->rest();
  });
  return decoder;
}

Estimate::Parts Estimate::dryRun(Offload mode) const {
  model::PromptEmbedding embedding;
  at::Tensor latents;
  Parts parts;
  parts.text = encode(mode, embedding);
  parts.denoiser = denoise(mode, embedding, latents);
  parts.decoder = decode(mode, latents);
  return parts;
}

MemoryModel Estimate::run() {
  MemoryModel model;
  const Parts whole = dryRun(Offload::None);
  const std::int64_t all = whole.text.weights + whole.denoiser.weights + whole.decoder.weights;
  const auto beside = [&](const PartMemory& part, bool tight) { return part.phase(tight, all - part.weights); };
  model.together = {beside(whole.text, false), beside(whole.denoiser, false), beside(whole.decoder, true)};
  model.inTurn = {whole.text.phase(false), whole.denoiser.phase(false), whole.decoder.phase(true)};
  for (const auto& [mode, placement] : {std::pair(Offload::Group, &model.group), {Offload::Sequential, &model.sequential}}) {
    const Parts parts = dryRun(mode);
    *placement = {parts.text.phase(true), parts.denoiser.phase(true), parts.decoder.phase(true)};
  }
  return model;
}

}  // namespace

std::int64_t PlacementMemory::highest() const { return std::max({encode.total(), denoise.total(), decode.total()}); }

MemoryModel memoryModel(const std::filesystem::path& model, const std::string& policy, const protocol::Recipe& recipe, std::size_t batch, bool gpu) {
  const c10::InferenceMode inference;
  const TightHeap tight;                 // layers that were packed to see what they take leave nothing
  const model::MeantForGpu meant(gpu);
  return Estimate(model, policy, recipe, std::max<std::size_t>(batch, 1)).run();
}

}  // namespace quantspot::pipeline
