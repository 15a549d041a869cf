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
#include <tuple>

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

// Prompt by prompt, so that an embedding does not depend on the batch it is in; the same text only once.
class PromptCache {
 public:
  PromptCache(const model::TextEncoders& encoders, model::EncodeOptions options) : encoders_(encoders), options_(options) {}

  const model::PromptEmbedding& operator()(const std::string& prompt) {
    const auto found = made_.find(prompt);
    return found != made_.end() ? found->second : made_.emplace(prompt, encoders_.encode({prompt}, options_)).first->second;
  }
  const model::PromptEmbedding& negative(const std::optional<std::string>& prompt) {
    const auto found = negatives_.find(prompt);
    return found != negatives_.end() ? found->second : negatives_.emplace(prompt, encoders_.encodeNegative(prompt, options_)).first->second;
  }

 private:
  const model::TextEncoders& encoders_;
  const model::EncodeOptions options_;
  std::map<std::string, model::PromptEmbedding> made_;
  std::map<std::optional<std::string>, model::PromptEmbedding> negatives_;
};

// As VaeImageProcessor: (1, 3, H, W) in −1…1, float32.
at::Tensor toTensor(const RgbImage& image) {
  const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(image.pixels.data()), {1, image.height, image.width, 3}, at::kByte);
  return 2 * (bytes.permute({0, 3, 1, 2}).to(at::kFloat) / 255) - 1;
}

Encoded encodeAll(const model::TextEncoders& encoders, const model::FamilyInfo& family, const SampleRequest& request) {
  PromptCache embedding(encoders, encodeOptions(request.recipe));
  std::vector<model::Condition> prompts, negatives;
  Encoded made;
  for (const protocol::Recipe& recipe : allRecipes(request)) {
    const model::PromptEmbedding& prompt = embedding(recipe.prompt);
    prompts.push_back(prompt.condition);
    made.truncated.push_back(prompt.truncated);
    if (!usesNegative(recipe, family)) continue;
    const model::PromptEmbedding& negative = embedding.negative(recipe.negative_prompt);
    negatives.push_back(negative.condition);
    for (const std::string& line : negative.truncated) made.truncated.back().push_back("negative prompt: " + line);
  }
  made.conditioning.prompt = model::joined(prompts);
  if (!negatives.empty()) made.conditioning.negative = model::joined(negatives);
  for (const std::string& prompt : request.calibration) made.calibration.push_back(embedding(prompt).condition);
  return made;
}

// The recipe in the size that is drawn.
protocol::Recipe binned(const SampleRequest& request, const model::Family& family) {
  protocol::Recipe recipe = request.recipe;
  if (!recipe.bin_size) return recipe;
  std::tie(recipe.width, recipe.height) = std::tuple_cat(family.sizeBin(recipe.width, recipe.height, request.model));
  return recipe;
}

}  // namespace

std::vector<protocol::Recipe> allRecipes(const SampleRequest& request) {
  std::vector<protocol::Recipe> all = {request.recipe};
  all.insert(all.end(), request.more.begin(), request.more.end());
  return all;
}

std::vector<std::uint64_t> seedsOf(const SampleRequest& request) {
  std::vector<std::uint64_t> seeds;
  for (const protocol::Recipe& recipe : allRecipes(request)) seeds.push_back(recipe.seed);
  return seeds;
}

model::EncodeOptions encodeOptions(const protocol::Recipe& recipe) {
  return {.maxSequenceLength = recipe.max_sequence_length.value_or(0), .clipSkip = recipe.clip_skip, .weighted = recipe.prompt_weights};
}

at::ScalarType computeType(const quant::Policy& policy) { return quant::quantizer(policy.precision).computeType(); }

Phases::Phases(const SampleRequest& request)
    : request_(request), family_(model::familyOf(request.model)), recipe_(binned(request, family_)), adapters_(request.adapters),
        device_(parseDevice(request.device)), compute_(computeType(request.policy)),
      pixels_(pixelsPerLatent(request.model)) {
  const std::int64_t patch = family_.info().latentMultiple * pixels_;
  if (recipe_.width % patch != 0 || recipe_.height % patch != 0)
    throw std::invalid_argument(fmt::format("{} × {} pixels: this model needs multiples of {}", recipe_.width, recipe_.height, patch));
  prepareResident();
  if (!request_.packedCache.folder.empty()) weightsHash();   // now, so that no phase is timed with it
}

const std::string& Phases::weightsHash() {
  if (weightsHash_.empty()) weightsHash_ = HashCache().weightsHash(request_.model);
  return weightsHash_;
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

// What was loaded for something else goes.
void Phases::prepareResident() {
  if (!request_.resident) return;
  if (!request_.adapters.empty() || !request_.schedule.empty() || !request_.calibration.empty() || comesAndGoes())
    throw std::invalid_argument("a variant with LoRA, a schedule, calibrated activations or offloaded layers cannot be kept in memory");
  const std::string variant = fmt::format("{} {} {} {}", filesStamp(request_.model), request_.policy.text(), request_.device,
                                          request_.offload == Offload::Model ? "in turn" : "together");
  if (request_.resident->variant != variant)
    *request_.resident = {.variant = variant, .encoders = {}, .denoiser = {}, .autoencoder = {}, .streams = {}, .fallbacks = {}};
  notes_.fallbacks = request_.resident->fallbacks;
  makeRoom();                            // of a picture that was not finished
}

template <class Part, class Load>
std::shared_ptr<Part> Phases::resident(std::shared_ptr<Part> Resident::* part, Load&& load) {
  if (!request_.resident || request_.observe.flops) return load();   // counting needs layers that count
  std::shared_ptr<Part>& kept = request_.resident.get()->*part;
  if (!kept) {
    kept = load();
    if (stream_) request_.resident->streams.push_back(std::exchange(stream_, nullptr));
    request_.resident->fallbacks = notes_.fallbacks;
  }
  return kept;
}

// Parts that take turns on the CPU are simply read; a device has them from pinned memory.
std::shared_ptr<LayerStream> Phases::makeStream() const {
  const Offload mode = request_.offload;
  if (mode == Offload::None || (mode == Offload::Model && device_.is_cpu())) return nullptr;
  const auto check = [cancel = request_.cancel] { if (cancel && *cancel) throw Cancelled(); };
  const bool outlives = request_.resident != nullptr;   // the request, and whoever may cancel it
  return std::make_shared<LayerStream>(mode, [device = device_](const Groups& groups) { return makeTransfer(groups, device); },
                                       outlives ? std::function<void()>() : check);
}

void Phases::makeRoom() const {
  if (!request_.resident) return;
  for (const auto& stream : request_.resident->streams) stream->rest();
}

template <class Load>
auto Phases::loadPacked(const std::string& part, const quant::Policy& policy, model::LoadOptions options, Load&& load) {
  const TightHeap tight;
  const bool keeps = !request_.packedCache.folder.empty();
  stream_ = makeStream();
  std::shared_ptr<PackedSet> set;
  if (keeps) set = std::make_shared<PackedSet>(request_.packedCache, packedKey(weightsHash(), part, policy.text()));
  else if (stream_ && device_.is_cpu()) set = std::make_shared<PackedSet>(scratchCache(), part);
  packLayers(options, policy, notes_, set, stream_);
  auto loaded = load(options);
  if (!set) return loaded;
  set->keep();
  if (keeps && set->state() != "unused") packedCache_[part] = set->state();
  return loaded;
}

Encoded Phases::encode() {
  double loading = 0;
  Encoded out = meter_.phase("encode", "encode", [&] {
    const Stopwatch watch;
    const auto encoders = resident(&Resident::encoders, [&] {
      model::LoadOptions options = loadOptions("encode");
      options.decorate = decoration();
      return loadPacked("text_encoder", request_.policy, options, [&](const auto& how) { return family_.loadTextEncoders(request_.model, how); });
    });
    loading = watch.seconds();
    const auto tight = comesAndGoes() ? std::make_optional<TightHeap>() : std::nullopt;
    Encoded made = encodeAll(*encoders, family_.info(), request_);
    made.weights = weightsBlock(encoders->bytes(), encoders->layers());
    return made;
  });
  makeRoom();
  meter_.move("encode", "load_text", loading);   // not in "load", which is to be compared between variants
  trimHeap();
  return out;
}

model::LinearDecoration Phases::decoration() {
  return [this](const std::string& name, std::unique_ptr<quant::Linear> layer) {
    if (quant::CalibratedLinear* scaled = quant::calibratedLinear(*layer)) calibratedLayers_.push_back(scaled), calibratedNames_.push_back(name);
    layer = adapters_.around(name, std::move(layer), device_);
    return request_.observe.flops ? flops_->around(std::move(layer)) : std::move(layer);
  };
}

std::vector<quant::StepSpan> Phases::spans() const {
  return quant::spansFor(request_.schedule.empty() ? std::vector{quant::StepSpan{request_.policy, 0, -1}} : request_.schedule, recipe_.steps);
}

std::shared_ptr<model::Denoiser> Phases::loadDenoiser(const quant::Policy& policy) {
  const std::string part(family_.info().denoiser);
  notes_.seconds = 0;
  calibratedLayers_.clear(), calibratedNames_.clear();
  const std::shared_ptr<model::Denoiser> denoiser = meter_.phase("load", "load", [&] {
    return resident(&Resident::denoiser, [&] {
      model::LoadOptions options = loadOptions("load");
      options.keeps = keepingRule(policy);
      options.softmax = softmaxType(policy);
      options.decorate = decoration();
      return loadPacked(part, policy, options, [&](const auto& how) { return family_.loadDenoiser(request_.model, how); });
    });
  });
  meter_.move("load", "quantize", notes_.seconds);
  adapters_.check();
  trimHeap();
  // Of several, the one that takes most room.
  if (!weights_.contains(part) || weights_[part]["bytes"].get<std::int64_t>() < denoiser->bytes())
    weights_[part] = weightsBlock(denoiser->bytes(), denoiser->layers());
  guided_ = denoiser->embedsGuidance() || family_.info().guidance == model::Guidance::Classifier;
  return denoiser;
}

std::unique_ptr<model::Scheduler> Phases::makeScheduler() const {
  auto scheduler = model::loadScheduler(request_.model, recipe_.scheduler);
  scheduler->setTimesteps(recipe_.steps, family_.imageTokens(latentHeight(), latentWidth(), request_.model));
  return scheduler;
}

DenoiseOptions Phases::denoiseOptions() const {
  return {.kind = family_.info().guidance, .guidance = guidanceOf(recipe_, family_.info()), .trueCfg = recipe_.true_cfg,
          .rescale = recipe_.guidance_rescale,
          .stepsInput = family_.info().stepsInput, .onCall = {}};
}

// Sizes belong to the picture, not to its prompt: embeddings that are kept know nothing of them.
Conditioning Phases::shaped(Conditioning conditioning) const {
  const model::PictureShape shape{recipe_.width, recipe_.height, recipe_.original_size, recipe_.target_size, recipe_.crop.value_or(std::array{0, 0})};
  family_.addShape(conditioning.prompt, shape, request_.model);
  if (conditioning.negative) family_.addShape(*conditioning.negative, shape, request_.model);
  return conditioning;
}

// DiT's pipeline in the reference starts from the noise as it is, whatever the scheduler says.
at::Tensor Phases::started(const model::Scheduler& scheduler, const at::Tensor& noise) const {
  return family_.info().stepsInput || scheduler.initNoiseSigma() == 1 ? noise : noise * scheduler.initNoiseSigma();
}

at::Tensor Phases::draw(const model::Denoiser& denoiser, const Conditioning& conditioning, const std::vector<std::uint64_t>& seeds,
                        const std::function<void()>& onCall) const {
  const auto scheduler = makeScheduler();
  PictureNoise noise(seeds);
  const auto pictures = static_cast<std::int64_t>(seeds.size());
  const at::Tensor start = started(*scheduler, noise({pictures, denoiser.latentChannels(), latentHeight(), latentWidth()}).to(device_, compute_));
  DenoiseOptions options = denoiseOptions();
  options.end = scheduler->timesteps().size();
  options.onCall = [&](std::size_t, const at::Tensor&) { onCall(); };
  return pipeline::denoise(denoiser, *scheduler, shaped(conditioning), start, std::ref(noise), options);
}

// Every prompt is drawn once, from the seed that is its number, as a user of the reference would run the pipeline.
void Phases::calibrate(const model::Denoiser& denoiser, const Encoded& encoded, const std::string& policy, Calibrated& calibrated) {
  if (encoded.calibration.empty() || calibratedLayers_.empty()) return;
  const DenoiseOptions plain = denoiseOptions();
  const std::string key = fmt::format("{} {} {} {}x{} {} {} {}", filesStamp(request_.model), policy, fmt::join(request_.calibration, "\n"),
                                      recipe_.width, recipe_.height,
                                      recipe_.steps, plain.guidance, recipe_.scheduler);
  if (calibrated.key == key) {
    for (std::size_t i = 0; i < calibratedLayers_.size(); ++i) calibratedLayers_[i]->setScales(calibrated.scales[i]);
    return;
  }
  meter_.phase("calibrate", "denoise", [&] {
    const quant::Calibration watching(calibratedLayers_);
    for (std::size_t i = 0; i < encoded.calibration.size(); ++i) {
      tell("calibrate", static_cast<int>(i), static_cast<int>(encoded.calibration.size()));
      draw(denoiser, {encoded.calibration[i], {}}, {i}, [this] { tell("calibrate", 0, 0); });
    }
  });
  calibrated = {key, {}};
  for (const quant::CalibratedLinear* layer : calibratedLayers_) calibrated.scales.push_back(layer->scales());
}

nlohmann::json Phases::activationScales(const Calibrated& calibrated) const {
  nlohmann::json scales = nlohmann::json::object();
  for (std::size_t i = 0; i < calibratedNames_.size() && calibratedNames_.size() == calibrated.scales.size(); ++i)
    scales[calibratedNames_[i]] = {{"input", calibrated.scales[i].input}, {"output", calibrated.scales[i].output}};
  return scales;
}

at::Tensor Phases::encodeImage(PictureNoise& noise) {
  return meter_.phase("encode", "encode", [&] {
    tell("encode", 0, 1);
    const auto load = [&](const auto& how) { return family_.loadImageEncoder(request_.model, how); };
    const auto encoder = loadPacked("vae_encoder", request_.policy, loadOptions("encode"), load);
    const auto pictures = static_cast<std::int64_t>(1 + request_.more.size());
    return encoder->encode(toTensor(*request_.image).to(device_).repeat({pictures, 1, 1, 1}), std::ref(noise)).to(compute_);
  });
}

// The steps before it are those that image to image leaves out.
std::size_t Phases::firstCall(const model::Scheduler& scheduler) const {
  if (!request_.image) return 0;
  const double kept = recipe_.steps * recipe_.strength.value();
  const int first = family_.info().skipsFractions ? static_cast<int>(recipe_.steps - kept) : recipe_.steps - static_cast<int>(kept);
  if (first >= recipe_.steps)
    throw std::invalid_argument(fmt::format("strength = {} leaves none of {} steps; use at least {}", *recipe_.strength, recipe_.steps,
                                            1.0 / recipe_.steps));
  return static_cast<std::size_t>(first) * static_cast<std::size_t>(scheduler.order());
}

at::Tensor Phases::denoise(const Encoded& encoded, const std::function<at::Tensor(std::int64_t channels)>& noiseFor, Calibrated& calibrated) {
  const auto scheduler = makeScheduler();
  const std::size_t calls = scheduler->timesteps().size();
  const Conditioning conditioning = shaped(encoded.conditioning);
  PictureNoise noise(seedsOf(request_));
  const std::size_t begin = firstCall(*scheduler);
  const at::Tensor original = request_.image ? encodeImage(noise) : at::Tensor();
  at::Tensor latents;
  for (const quant::StepSpan& span : spans()) {
    const std::size_t end = span.last < 0 ? calls : callOf(span.last + 1, calls);
    if (end <= begin) continue;
    const auto denoiser = loadDenoiser(span.policy);
    calibrate(*denoiser, encoded, span.policy.text(), calibrated);
    if (!latents.defined()) {
      const at::Tensor start = noiseFor(denoiser->latentChannels());
      if (!request_.noise) noise(start.sizes());   // the numbers that `start` has taken
      const at::Tensor drawn = start.to(device_, compute_);
      latents = original.defined() ? scheduler->addNoise(original, drawn, begin) : started(*scheduler, drawn);
    }
    DenoiseOptions options = denoiseOptions();
    options.begin = std::max(begin, callOf(span.first, calls));
    options.end = end;
    Stopwatch step;
    options.onCall = [&](std::size_t done, const at::Tensor& now) {
      stepSeconds_.push_back(step.seconds());
      if (request_.observe.latents) trajectory_.push_back(now.to(at::kCPU, at::kFloat));
      tell("denoise", static_cast<int>(done), static_cast<int>(calls));
      step = Stopwatch();
    };
    tell("denoise", static_cast<int>(options.begin), static_cast<int>(calls));
    latents = meter_.phase("denoise", "denoise", [&] {
      const FlopCounter::Scope counting(request_.observe.flops ? flops_.get() : nullptr);
      step = Stopwatch();
      const auto tight = comesAndGoes() ? std::make_optional<TightHeap>() : std::nullopt;
      return pipeline::denoise(*denoiser, *scheduler, conditioning, latents, std::ref(noise), options);
    });
  }
  makeRoom();
  return latents;
}

// Some schedulers call the model more often than there are steps.
std::size_t Phases::callOf(int step, std::size_t calls) const {
  return (static_cast<std::size_t>(step) * calls + static_cast<std::size_t>(recipe_.steps) - 1) / static_cast<std::size_t>(recipe_.steps);
}

json Phases::fallbacks() const {
  json all = json::array();
  for (const PackingNotes::Fallback& f : notes_.fallbacks) all.push_back({{"layer", f.layer}, {"asked", f.asked}, {"used", f.used}, {"why", f.why}});
  return all;
}

std::vector<RgbImage> Phases::decode(const at::Tensor& latents) {
  const TightHeap tight;
  trimHeap();                            // the denoiser is gone
  tell("decode", 0, 1);
  const auto autoencoder = meter_.phase("load", "decode", [&] {
    return resident(&Resident::autoencoder, [&] {
      return loadPacked("vae", request_.policy, loadOptions("decode"), [&](const auto& how) { return family_.loadAutoencoder(request_.model, how); });
    });
  });
  weights_["vae"] = weightsBlock(autoencoder->bytes(), autoencoder->layers());
  std::vector<RgbImage> images = meter_.phase("decode", "decode", [&] {
    const at::Tensor drawn = autoencoder->decode(latents, {.tiled = recipe_.vae_tiling, .sliced = recipe_.vae_slicing});
    const at::Tensor decoded = resizedAndCropped(drawn, request_.recipe.width, request_.recipe.height);
    if (!decoded.isfinite().all().item<bool>())
      throw model::ModelError("the autoencoder made NaN or infinity of finite latents: try fp32");
    std::vector<RgbImage> made;
    for (const at::Tensor& one : decoded.unbind(0)) made.push_back(toRgb(one));
    return made;
  });
  makeRoom();
  tell("decode", 1, 1);
  return images;
}

json Phases::flops() const {
  json counts = flops_->counts();
  counts["calls"] = stepSeconds_.size();
  return counts;
}

json Phases::seconds() const {
  json seconds = {{"load", 0.0}, {"load_text", 0.0}, {"quantize", 0.0}, {"encode", 0.0}, {"decode", 0.0}};
  seconds.update(meter_.seconds());
  seconds.erase("denoise");              // its steps say it
  seconds["steps"] = stepSeconds_;
  return seconds;
}

}  // namespace quantspot::pipeline
