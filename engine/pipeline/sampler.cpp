#include "engine/pipeline/sampler.h"

#include "engine/model/components.h"
#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/model/sha256.h"
#include "engine/pipeline/denoise.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/recipe.h"
#include "engine/pipeline/report.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <tuple>

namespace quantspot::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Text encoders and autoencoder are the same for all variants of a comparison: only the transformer is packed.
at::ScalarType computeType(const quant::Policy& policy) { return quant::quantizer(policy.precision).computeType(); }

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

model::ModelSummary checkModel(const fs::path& folder) {
  model::ModelSummary summary = model::inspectFolder(folder);
  if (!summary.missing.empty())
    throw model::ModelError(fmt::format("{} is not complete: {}", folder.string(), fmt::join(summary.missing, "; ")));
  return summary;
}

// What an embedding depends on.
using PromptKey = std::tuple<std::string, std::string, std::optional<std::string>, at::ScalarType, int, std::string>;

PromptKey promptKey(const SampleRequest& request) {
  const protocol::Recipe& r = request.recipe;
  return {fs::weakly_canonical(request.model).string(), r.prompt, usesTrueCfg(r) ? r.negative_prompt : std::nullopt,
          computeType(request.policy), r.max_sequence_length.value(), request.device};
}

struct Encoded {
  Conditioning conditioning;
  json weights;                          // census of the text encoders, which are gone
  std::vector<std::string> truncated;
};

struct Noise {
  std::uint64_t seed = 0;
  at::Tensor tensor;                     // (1, C, h, w) float32
  std::string hash;
};

}  // namespace

struct Sampler::State {
  std::optional<PromptKey> key;
  Encoded encoded;
  std::optional<Noise> noise;
  HashCache hashes;
};

namespace {

// One sample: the phases in their order, each freeing what the next does not need.
class Run {
 public:
  explicit Run(const SampleRequest& request)
      : request_(request), recipe_(request.recipe), device_(parseDevice(request.device)), compute_(computeType(request.policy)),
        pixels_(pixelsPerLatent(request.model)) {
    const std::int64_t patch = 2 * pixels_;
    if (recipe_.width % patch != 0 || recipe_.height % patch != 0)
      throw std::invalid_argument(fmt::format("{} × {} pixels: this model needs multiples of {}", recipe_.width, recipe_.height, patch));
  }

  Encoded encode();
  template <class NoiseFor>
  at::Tensor sample(const Conditioning& conditioning, NoiseFor&& noiseFor);
  RgbImage decode(const at::Tensor& packed);

  std::int64_t latentHeight() const { return recipe_.height / pixels_; }
  std::int64_t latentWidth() const { return recipe_.width / pixels_; }
  json weights = json::object(), stepSeconds = json::array();
  bool guided = false;                   // the transformer embeds a guidance
  Meter meter;

 private:
  void tell(const char* stage, int step, int steps) const;
  model::LoadOptions loadOptions(const char* stage) const;
  std::unique_ptr<model::Transformer> loadTransformer();

  const SampleRequest& request_;
  const protocol::Recipe& recipe_;
  const at::Device device_;
  const at::ScalarType compute_;
  const std::int64_t pixels_;
};

void Run::tell(const char* stage, int step, int steps) const {
  const auto check = [&] { if (request_.cancel && *request_.cancel) throw Cancelled(); };
  check();
  if (request_.progress) request_.progress(stage, step, steps);
  check();
}

model::LoadOptions Run::loadOptions(const char* stage) const {
  model::LoadOptions options;
  options.compute = compute_;
  options.device = device_;
  options.onLayer = [this, stage](std::size_t done, std::size_t total) { tell(stage, static_cast<int>(done), static_cast<int>(total)); };
  return options;
}

Encoded Run::encode() {
  double loading = 0;
  Encoded out = meter.phase("encode", "encode", [&] {
    const Stopwatch watch;
    const auto encoders = model::loadTextEncoders(request_.model, loadOptions("encode"));
    loading = watch.seconds();
    Encoded made;
    made.conditioning.prompt = encoders->encode({recipe_.prompt}, recipe_.max_sequence_length.value());
    made.truncated = made.conditioning.prompt.truncated;
    if (usesTrueCfg(recipe_)) {
      made.conditioning.negative = encoders->encode({*recipe_.negative_prompt}, recipe_.max_sequence_length.value());
      for (const std::string& line : made.conditioning.negative->truncated) made.truncated.push_back("negative prompt: " + line);
    }
    made.weights = weightsBlock(encoders->bytes(), encoders->layers());
    return made;
  });
  meter.move("encode", "load_text", loading);   // not in "load", which is to be compared between variants
  trimHeap();
  return out;
}

std::unique_ptr<model::Transformer> Run::loadTransformer() {
  double packing = 0;
  auto transformer = meter.phase("load", "load", [&] {
    model::LoadOptions options = loadOptions("load");
    options.linear = packingFactory(request_.policy, &packing);
    return model::loadTransformer(request_.model, options);
  });
  meter.move("load", "quantize", packing);
  trimHeap();
  weights["transformer"] = weightsBlock(transformer->bytes(), transformer->layers());
  guided = transformer->guidanceEmbeds();
  return transformer;
}

template <class NoiseFor>
at::Tensor Run::sample(const Conditioning& conditioning, NoiseFor&& noiseFor) {
  const auto transformer = loadTransformer();
  const at::TensorOptions compute = at::TensorOptions(compute_).device(device_);
  const at::Tensor noise = packLatents(noiseFor(transformer->inChannels() / 4)).to(compute);
  model::FlowMatchEuler scheduler(request_.model);
  scheduler.setTimesteps(recipe_.steps, noise.size(1));
  DenoiseOptions options{.guidance = recipe_.guidance.value_or(3.5), .trueCfg = recipe_.true_cfg, .onStep = {}};
  Stopwatch step;
  options.onStep = [&](int done) {
    stepSeconds.push_back(step.seconds());
    tell("denoise", done, recipe_.steps);
    step = Stopwatch();
  };
  tell("denoise", 0, recipe_.steps);
  return meter.phase("denoise", "denoise", [&] {
    step = Stopwatch();
    return denoise(*transformer, scheduler, conditioning, noise, imageIds(latentHeight(), latentWidth(), compute), options);
  });
}

RgbImage Run::decode(const at::Tensor& packed) {
  trimHeap();                            // the transformer is gone
  tell("decode", 0, 1);
  const auto autoencoder = meter.phase("load", "decode", [&] { return model::loadAutoencoder(request_.model, loadOptions("decode")); });
  weights["vae"] = weightsBlock(autoencoder->bytes(), autoencoder->layers());
  RgbImage image = meter.phase("decode", "decode", [&] {
    const at::Tensor decoded = autoencoder->decode(unpackLatents(packed, latentHeight(), latentWidth()));
    if (!decoded.isfinite().all().item<bool>())
      throw model::ModelError("the autoencoder made NaN or infinity of finite latents: try fp32");
    return toRgb(decoded);
  });
  tell("decode", 1, 1);
  return image;
}

std::string hashPixels(const RgbImage& image) {
  return model::sha256Hex(image.pixels.data(), image.pixels.size());
}

json secondsBlock(const Run& run, double total) {
  json seconds = {{"load", 0.0}, {"load_text", 0.0}, {"quantize", 0.0}, {"encode", 0.0}, {"decode", 0.0}};
  seconds.update(run.meter.seconds());
  seconds.erase("denoise");              // its steps say it
  seconds["steps"] = run.stepSeconds;
  seconds["total"] = total;
  return seconds;
}

json recipeBlock(const protocol::Recipe& recipe, bool guided) {
  json block = recipe;
  block["guidance"] = guided ? json(recipe.guidance.value_or(3.5)) : json(nullptr);
  return block;
}

}  // namespace

Sampler::Sampler() : state_(std::make_unique<State>()) {}
Sampler::~Sampler() = default;

Sample Sampler::generate(const SampleRequest& asked) {
  const c10::InferenceMode inference;
  const Stopwatch watch;
  SampleRequest request = asked;
  request.recipe = completeRecipe(asked.recipe, asked.model);
  checkRecipe(request.recipe);
  const model::ModelSummary model = checkModel(request.model);
  Run run(request);
  const PromptKey key = promptKey(request);
  const bool reused = state_->key == key;
  if (!reused) {
    state_->key.reset();                 // nothing valid is kept if encoding fails
    state_->encoded = {};
    state_->encoded = run.encode();
    state_->key = key;
  }
  std::optional<Noise>& noise = state_->noise;
  const auto noiseFor = [&](std::int64_t channels) {
    const auto h = run.latentHeight(), w = run.latentWidth();
    if (request.noise) {
      const at::Tensor given = takeNoise(*request.noise, channels, h, w);
      noise.reset();
      return Noise{0, given, hashFloats(given)};
    }
    const bool same = noise && noise->seed == request.recipe.seed && noise->tensor.sizes() == at::IntArrayRef({1, channels, h, w});
    if (!same) {
      const at::Tensor drawn = drawNoise(request.recipe.seed, channels, h, w);
      noise = Noise{request.recipe.seed, drawn, hashFloats(drawn)};
    }
    return *noise;
  };
  std::string noiseHash;
  Sample out;
  const at::Tensor latents = run.sample(state_->encoded.conditioning, [&](std::int64_t channels) {
    const Noise used = noiseFor(channels);
    noiseHash = used.hash;
    return used.tensor;
  });
  out.latents = latents.to(at::kCPU, at::kFloat);
  out.image = run.decode(latents);
  trimHeap();
  const double total = watch.seconds();
  run.weights["text_encoder"] = state_->encoded.weights;
  json peaks = run.meter.peaks();
  if (reused) peaks["encode"] = 0;       // nothing was encoded
  out.report = {{"schema", 1}, {"engine", engineBlock(request.device)},
                {"model", {{"name", model.name}, {"family", model.family}, {"weights_sha256", state_->hashes.weightsHash(request.model)}}},
                {"precision", request.policy.precision}, {"policy", policyBlock(request.policy)},
                {"recipe", recipeBlock(request.recipe, run.guided)}, {"noise_sha256", noiseHash}, {"image_sha256", hashPixels(out.image)},
                {"weights", run.weights}, {"seconds", secondsBlock(run, total)}, {"peak_bytes", peaks},
                {"device_peak_bytes", json::object()}, {"prompt_reused", reused}, {"truncated", state_->encoded.truncated}};
  return out;
}

}  // namespace quantspot::pipeline
