#include "engine/pipeline/phases.h"

#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/recipe.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <map>

namespace quantspot::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

at::Device parseDevice(const std::string& name) {
  const bool cuda = name == "cuda" || name.starts_with("cuda:");
  if (name != "cpu" && !cuda) throw std::invalid_argument(fmt::format("device '{}' is not known; use cpu or cuda:0", name));
  if (cuda && !at::globalContext().hasCUDA()) throw std::invalid_argument(fmt::format("device '{}': there is no CUDA here; use cpu", name));
  try {
    return at::Device(name);
  } catch (const c10::Error&) {
    throw std::invalid_argument(fmt::format("device '{}' is no device; use cpu or cuda:0", name));
  }
}

// Image pixels per latent, without loading the autoencoder: it is needed last. Keys and defaults are those of diffusers' classes.
std::int64_t pixelsPerLatent(const fs::path& model) {
  const model::Config config(model / "vae" / "config.json");
  const bool tiny = config.get<std::string>("_class_name", "") == "AutoencoderTiny";
  const auto blocks = config.get<std::vector<std::int64_t>>(tiny ? "decoder_block_out_channels" : "block_out_channels", std::vector<std::int64_t>(tiny ? 4 : 1));
  if (blocks.empty() || blocks.size() > 8) config.fail(tiny ? "decoder_block_out_channels" : "block_out_channels", "must have 1 to 8 entries");
  return std::int64_t{1} << (blocks.size() - 1);
}

// Prompt by prompt, so that an embedding does not depend on the batch it is in; the same text only once.
class PromptCache {
 public:
  PromptCache(const model::TextEncoders& encoders, int length) : encoders_(encoders), length_(length) {}

  const model::PromptEmbedding& operator()(const std::string& prompt) {
    const auto found = made_.find(prompt);
    return found != made_.end() ? found->second : made_.emplace(prompt, encoders_.encode({prompt}, length_)).first->second;
  }

 private:
  const model::TextEncoders& encoders_;
  const int length_;
  std::map<std::string, model::PromptEmbedding> made_;
};

model::PromptEmbedding stack(const std::vector<model::PromptEmbedding>& embeddings) {
  std::vector<at::Tensor> sequences, pooled;
  for (const model::PromptEmbedding& one : embeddings) {
    sequences.push_back(one.sequence);
    pooled.push_back(one.pooled);
  }
  return {at::cat(sequences), at::cat(pooled), {}};
}

Encoded encodeAll(const model::TextEncoders& encoders, const SampleRequest& request) {
  PromptCache embedding(encoders, request.recipe.max_sequence_length.value());
  std::vector<model::PromptEmbedding> prompts, negatives;
  Encoded made;
  for (const protocol::Recipe& recipe : allRecipes(request)) {
    prompts.push_back(embedding(recipe.prompt));
    made.truncated.push_back(prompts.back().truncated);
    if (!usesTrueCfg(recipe)) continue;
    negatives.push_back(embedding(*recipe.negative_prompt));
    for (const std::string& line : negatives.back().truncated) made.truncated.back().push_back("negative prompt: " + line);
  }
  made.conditioning.prompt = stack(prompts);
  if (!negatives.empty()) made.conditioning.negative = stack(negatives);
  return made;
}

}  // namespace

std::vector<protocol::Recipe> allRecipes(const SampleRequest& request) {
  std::vector<protocol::Recipe> all = {request.recipe};
  all.insert(all.end(), request.more.begin(), request.more.end());
  return all;
}

at::ScalarType computeType(const quant::Policy& policy) { return quant::quantizer(policy.precision).computeType(); }

Phases::Phases(const SampleRequest& request)
    : request_(request), recipe_(request.recipe), device_(parseDevice(request.device)), compute_(computeType(request.policy)),
      pixels_(pixelsPerLatent(request.model)) {
  const std::int64_t patch = 2 * pixels_;
  if (recipe_.width % patch != 0 || recipe_.height % patch != 0)
    throw std::invalid_argument(fmt::format("{} × {} pixels: this model needs multiples of {}", recipe_.width, recipe_.height, patch));
}

void Phases::tell(const char* stage, int step, int steps) const {
  const auto check = [&] { if (request_.cancel && *request_.cancel) throw Cancelled(); };
  check();
  if (request_.progress) request_.progress(stage, step, steps);
  check();
}

model::LoadOptions Phases::loadOptions(const char* stage) const {
  model::LoadOptions options;
  options.compute = compute_;
  options.device = device_;
  options.onLayer = [this, stage](std::size_t done, std::size_t total) { tell(stage, static_cast<int>(done), static_cast<int>(total)); };
  return options;
}

Encoded Phases::encode() {
  double loading = 0;
  Encoded out = meter_.phase("encode", "encode", [&] {
    const Stopwatch watch;
    const auto encoders = model::loadTextEncoders(request_.model, loadOptions("encode"));
    loading = watch.seconds();
    Encoded made = encodeAll(*encoders, request_);
    made.weights = weightsBlock(encoders->bytes(), encoders->layers());
    return made;
  });
  meter_.move("encode", "load_text", loading);   // not in "load", which is to be compared between variants
  trimHeap();
  return out;
}

std::unique_ptr<model::Transformer> Phases::loadTransformer() {
  double packing = 0;
  auto transformer = meter_.phase("load", "load", [&] {
    model::LoadOptions options = loadOptions("load");
    options.linear = packingFactory(request_.policy, &packing);
    options.keeps = keepingRule(request_.policy);
    return model::loadTransformer(request_.model, options);
  });
  meter_.move("load", "quantize", packing);
  trimHeap();
  weights_["transformer"] = weightsBlock(transformer->bytes(), transformer->layers());
  guided_ = transformer->guidanceEmbeds();
  return transformer;
}

at::Tensor Phases::denoise(const Conditioning& conditioning, const std::function<at::Tensor(std::int64_t channels)>& noiseFor) {
  const auto transformer = loadTransformer();
  const at::TensorOptions compute = at::TensorOptions(compute_).device(device_);
  const at::Tensor noise = packLatents(noiseFor(transformer->inChannels() / 4)).to(compute);
  model::FlowMatchEuler scheduler(request_.model);
  scheduler.setTimesteps(recipe_.steps, noise.size(1));
  DenoiseOptions options{.guidance = recipe_.guidance.value_or(3.5), .trueCfg = recipe_.true_cfg, .onStep = {}};
  Stopwatch step;
  options.onStep = [&](int done) {
    stepSeconds_.push_back(step.seconds());
    tell("denoise", done, recipe_.steps);
    step = Stopwatch();
  };
  tell("denoise", 0, recipe_.steps);
  return meter_.phase("denoise", "denoise", [&] {
    step = Stopwatch();
    return pipeline::denoise(*transformer, scheduler, conditioning, noise, imageIds(latentHeight(), latentWidth(), compute), options);
  });
}

std::vector<RgbImage> Phases::decode(const at::Tensor& packed) {
  trimHeap();                            // the transformer is gone
  tell("decode", 0, 1);
  const auto autoencoder = meter_.phase("load", "decode", [&] { return model::loadAutoencoder(request_.model, loadOptions("decode")); });
  weights_["vae"] = weightsBlock(autoencoder->bytes(), autoencoder->layers());
  std::vector<RgbImage> images = meter_.phase("decode", "decode", [&] {
    const at::Tensor decoded = autoencoder->decode(unpackLatents(packed, latentHeight(), latentWidth()));
    if (!decoded.isfinite().all().item<bool>())
      throw model::ModelError("the autoencoder made NaN or infinity of finite latents: try fp32");
    std::vector<RgbImage> made;
    for (const at::Tensor& one : decoded.unbind(0)) made.push_back(toRgb(one));
    return made;
  });
  tell("decode", 1, 1);
  return images;
}

json Phases::seconds() const {
  json seconds = {{"load", 0.0}, {"load_text", 0.0}, {"quantize", 0.0}, {"encode", 0.0}, {"decode", 0.0}};
  seconds.update(meter_.seconds());
  seconds.erase("denoise");              // its steps say it
  seconds["steps"] = stepSeconds_;
  return seconds;
}

}  // namespace quantspot::pipeline
