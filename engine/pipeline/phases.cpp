#include "engine/pipeline/phases.h"

#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/recipe.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

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
  for (const std::string& prompt : request.calibration) made.calibration.push_back(embedding(prompt));
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
    : request_(request), recipe_(request.recipe), adapters_(request.adapters), device_(parseDevice(request.device)), compute_(computeType(request.policy)),
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
    model::LoadOptions options = loadOptions("encode");
    packLayers(options, request_.policy, notes_);
    options.decorate = decoration();
    const auto encoders = [&] {
      const TightHeap tight;
      return model::loadTextEncoders(request_.model, options);
    }();
    loading = watch.seconds();
    Encoded made = encodeAll(*encoders, request_);
    made.weights = weightsBlock(encoders->bytes(), encoders->layers());
    return made;
  });
  meter_.move("encode", "load_text", loading);   // not in "load", which is to be compared between variants
  trimHeap();
  return out;
}

model::LinearDecoration Phases::decoration() {
  return [this](const std::string& name, std::unique_ptr<quant::Linear> layer) {
    if (quant::CalibratedLinear* scaled = quant::calibratedLinear(*layer)) calibratedLayers_.push_back(scaled);
    return adapters_.around(name, std::move(layer), device_);
  };
}

std::vector<quant::StepSpan> Phases::spans() const {
  return quant::spansFor(request_.schedule.empty() ? std::vector{quant::StepSpan{request_.policy, 0, -1}} : request_.schedule, recipe_.steps);
}

std::unique_ptr<model::Transformer> Phases::loadTransformer(const quant::Policy& policy) {
  notes_.seconds = 0;
  calibratedLayers_.clear();
  auto transformer = meter_.phase("load", "load", [&] {
    const TightHeap tight;
    model::LoadOptions options = loadOptions("load");
    packLayers(options, policy, notes_);
    options.keeps = keepingRule(policy);
    options.decorate = decoration();
    return model::loadTransformer(request_.model, options);
  });
  meter_.move("load", "quantize", notes_.seconds);
  adapters_.check();
  trimHeap();
  // Of several, the one that takes most room.
  if (!weights_.contains("transformer") || weights_["transformer"]["bytes"].get<std::int64_t>() < transformer->bytes())
    weights_["transformer"] = weightsBlock(transformer->bytes(), transformer->layers());
  guided_ = transformer->guidanceEmbeds();
  return transformer;
}

std::unique_ptr<model::Scheduler> Phases::loadScheduler() const {
  auto scheduler = model::loadScheduler(request_.model, recipe_.scheduler);
  scheduler->setTimesteps(recipe_.steps, static_cast<std::int64_t>(latentHeight() / 2) * (latentWidth() / 2));
  return scheduler;
}

at::Tensor Phases::run(const model::Transformer& transformer, model::Scheduler& scheduler, const Conditioning& conditioning, const at::Tensor& latents,
                       const DenoiseOptions& options) {
  return pipeline::denoise(transformer, scheduler, conditioning, latents, imageIds(latentHeight(), latentWidth(), latents.options()), options);
}

// Every prompt is drawn once, from the seed that is its number, as a user of the reference would run the pipeline.
void Phases::calibrate(const model::Transformer& transformer, const Encoded& encoded, const std::string& policy, Calibrated& calibrated) {
  if (encoded.calibration.empty() || calibratedLayers_.empty()) return;
  const std::string key = fmt::format("{} {} {} {}x{} {} {}", filesStamp(request_.model), policy, fmt::join(request_.calibration, "\n"), recipe_.width, recipe_.height,
                                      recipe_.steps, recipe_.guidance.value_or(3.5));
  if (calibrated.key == key) {
    for (std::size_t i = 0; i < calibratedLayers_.size(); ++i) calibratedLayers_[i]->setScales(calibrated.scales[i]);
    return;
  }
  meter_.phase("calibrate", "denoise", [&] {
    const quant::Calibration watching(calibratedLayers_);
    for (std::size_t i = 0; i < encoded.calibration.size(); ++i) {
      tell("calibrate", static_cast<int>(i), static_cast<int>(encoded.calibration.size()));
      const at::Tensor noise = drawNoise(i, transformer.inChannels() / 4, latentHeight(), latentWidth());
      DenoiseOptions options{.guidance = recipe_.guidance.value_or(3.5), .onStep = {}};
      options.onStep = [this](int) { tell("calibrate", 0, 0); };
      run(transformer, *loadScheduler(), {encoded.calibration[i], {}}, packLatents(noise).to(device_, compute_), options);
    }
  });
  calibrated = {key, {}};
  for (const quant::CalibratedLinear* layer : calibratedLayers_) calibrated.scales.push_back(layer->scales());
}

at::Tensor Phases::denoise(const Encoded& encoded, const std::function<at::Tensor(std::int64_t channels)>& noiseFor, Calibrated& calibrated) {
  at::Tensor latents;
  const auto scheduler = loadScheduler();
  const auto calls = static_cast<int>(scheduler->timesteps().size());
  const auto firstCall = [&](int step) { return static_cast<int>(std::int64_t{step} * calls / recipe_.steps); };
  for (const quant::StepSpan& span : spans()) {
    const auto transformer = loadTransformer(span.policy);
    calibrate(*transformer, encoded, span.policy.text(), calibrated);
    if (!latents.defined()) latents = packLatents(noiseFor(transformer->inChannels() / 4)).to(device_, compute_);
    DenoiseOptions options{.guidance = recipe_.guidance.value_or(3.5), .trueCfg = recipe_.true_cfg, .first = firstCall(span.first),
                           .last = span.last < 0 ? -1 : firstCall(span.last + 1) - 1, .onStep = {}};
    Stopwatch step;
    options.onStep = [&](int done) {
      stepSeconds_.push_back(step.seconds());
      tell("denoise", done, calls);
      step = Stopwatch();
    };
    tell("denoise", options.first, calls);
    latents = meter_.phase("denoise", "denoise", [&] {
      step = Stopwatch();
      return run(*transformer, *scheduler, encoded.conditioning, latents, options);
    });
  }
  return latents;
}

json Phases::fallbacks() const {
  json all = json::array();
  for (const PackingNotes::Fallback& f : notes_.fallbacks) all.push_back({{"layer", f.layer}, {"asked", f.asked}, {"used", f.used}, {"why", f.why}});
  return all;
}

std::vector<RgbImage> Phases::decode(const at::Tensor& packed) {
  trimHeap();                            // the transformer is gone
  tell("decode", 0, 1);
  model::LoadOptions options = loadOptions("decode");
  packLayers(options, request_.policy, notes_);
  const auto autoencoder = meter_.phase("load", "decode", [&] {
    const TightHeap tight;
    return model::loadAutoencoder(request_.model, options);
  });
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
