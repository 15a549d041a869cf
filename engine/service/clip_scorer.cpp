#include "engine/service/clip_scorer.h"

#include "engine/model/clip_text.h"
#include "engine/model/clip_tokenizer.h"
#include "engine/model/config.h"
#include "engine/model/weights.h"
#include "engine/service/models.h"
#include "metrics/clip_vision.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

metrics::ClipVisionConfig visionConfig(const model::Config& whole) {
  const model::Config c(whole.path(), whole.need<nlohmann::json>("vision_config"));
  metrics::ClipVisionConfig v;
  v.hidden = c.positive("hidden_size", v.hidden);
  v.intermediate = c.positive("intermediate_size", v.intermediate);
  v.layers = c.positive("num_hidden_layers", v.layers);
  v.heads = c.positive("num_attention_heads", v.heads);
  v.imageSize = c.positive("image_size", v.imageSize);
  v.patch = c.positive("patch_size", v.patch);
  v.eps = c.get("layer_norm_eps", v.eps);
  const auto activation = c.get<std::string>("hidden_act", "quick_gelu");
  if (activation != "quick_gelu" && activation != "gelu") c.fail("hidden_act", "is not supported; quick_gelu and gelu are");
  v.quickGelu = activation == "quick_gelu";
  return v;
}

// preprocessor_config.json where the folder has one; else CLIP's constants at the tower's own size.
metrics::ClipPreprocessing preprocessingOf(const fs::path& folder, std::int64_t imageSize) {
  metrics::ClipPreprocessing p{.shortestEdge = static_cast<int>(imageSize), .crop = static_cast<int>(imageSize)};
  const fs::path path = folder / "preprocessor_config.json";
  if (!fs::exists(path)) return p;
  const model::Config c(path);
  const auto side = [&](const char* key, const char* inner, int& value) {
    if (!c.has(key)) return;
    const nlohmann::json& size = c.json()[key];
    if (size.is_object() && !size.contains(inner)) c.fail(key, std::string("has no \"") + inner + "\", which is the only form that is supported");
    const nlohmann::json& pixels = size.is_object() ? size[inner] : size;
    if (size.is_object() && !pixels.is_number_integer()) c.fail(key, std::string("has no whole number as \"") + inner + "\"");
    if (pixels.is_number_integer()) value = pixels.get<int>();
  };
  for (const char* step : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"})
    if (!c.get(step, true)) c.fail(step, "is not supported; CLIP's pre-processing takes every step");
  side("size", "shortest_edge", p.shortestEdge);
  side("crop_size", "height", p.crop);
  const auto resample = c.get<std::int64_t>("resample", static_cast<int>(p.filter));
  if (resample < 1 || resample > 5) c.fail("resample", "is not supported; 1 to 5 of Pillow's filters are");
  p.filter = static_cast<metrics::Resample>(resample);
  p.scale = c.get("rescale_factor", p.scale);
  p.mean = c.get("image_mean", p.mean);
  p.deviation = c.get("image_std", p.deviation);
  if (p.crop != imageSize) c.fail("crop_size", "is not the image_size of the vision tower");
  return p;
}

}  // namespace

struct ClipScorer::State {
  explicit State(const fs::path& folder)
      : config(folder / "config.json"), weights(folder), tokenizer(folder), text(folder, {}, ""),
        vision(visionConfig(config), projectionSize(), [this](const std::string& name, const auto& shape) { return weights.read(name, shape); }) {
    preprocessing = preprocessingOf(folder, vision.imageSize());
    const auto width = model::Config(config.path(), config.need<nlohmann::json>("text_config")).positive("hidden_size", 512);
    textProjection = weights.read("text_projection.weight", {projectionSize(), width}).to(at::kFloat);
  }

  std::int64_t projectionSize() const { return config.positive("projection_dim", 512); }

  at::Tensor textFeatures(const std::string& prompt) const {
    const at::Tensor ids = at::tensor(tokenizer.encode(prompt).ids, at::kLong).unsqueeze(0);
    const at::Tensor out = at::linear(text.pooled(ids), textProjection);
    return out / out.norm(2, -1, true);
  }

  model::Config config;
  model::Weights weights;
  model::ClipTokenizer tokenizer;
  model::ClipText text;
  metrics::ClipVision vision;
  metrics::ClipPreprocessing preprocessing;
  at::Tensor textProjection;
};

ClipScorer::ClipScorer(const fs::path& folder) : state_(std::make_unique<State>(folder)) {}
ClipScorer::~ClipScorer() = default;

std::int64_t ClipScorer::imageSize() const { return state_->vision.imageSize(); }

at::Tensor ClipScorer::imageFeatures(metrics::ImageView image) const {
  const c10::InferenceMode inference;
  return state_->vision.features(metrics::clipPixels(image, state_->preprocessing));
}

at::Tensor ClipScorer::textFeatures(const std::string& prompt) const {
  const c10::InferenceMode inference;
  return state_->textFeatures(prompt);
}

double ClipScorer::score(metrics::ImageView image, const std::string& prompt) const {
  const c10::InferenceMode inference;
  return metrics::clipCosines(imageFeatures(image), textFeatures(prompt)).item<double>();
}

double ClipScorer::similarity(metrics::ImageView image, metrics::ImageView other) const {
  const c10::InferenceMode inference;
  return metrics::clipCosines(imageFeatures(image), imageFeatures(other)).item<double>();
}

fs::path clipFolderOf(const fs::path& model) {
  const fs::path own = model / "clip_score";
  return fs::exists(own / "config.json") ? own : defaultModel() / "clip_score";
}

bool isEmbeddedClip(const fs::path& folder) { return fs::weakly_canonical(folder) == fs::weakly_canonical(defaultModel() / "clip_score"); }

}  // namespace quantspot::service
