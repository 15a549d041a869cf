#include "engine/service/scorer.h"

#include "engine/model/clip_text.h"
#include "engine/model/clip_tokenizer.h"
#include "engine/model/config.h"
#include "engine/model/weights.h"
#include "engine/protocol/base64.h"
#include "engine/service/models.h"
#include "metrics/clip_vision.h"
#include "metrics/psnr.h"
#include "metrics/ssim.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <stdexcept>

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
  v.quickGelu = c.get<std::string>("hidden_act", "quick_gelu") == "quick_gelu";
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
    value = size.is_object() ? size.value(inner, value) : size.is_number_integer() ? size.get<int>() : value;
  };
  side("size", "shortest_edge", p.shortestEdge);
  side("crop_size", "height", p.crop);
  p.mean = c.get("image_mean", p.mean);
  p.deviation = c.get("image_std", p.deviation);
  if (p.crop != imageSize) c.fail("crop_size", "is not the image_size of the vision tower");
  return p;
}

metrics::Image imageOf(const std::string& base64, const char* which) try {
  return metrics::decodeImage(protocol::fromBase64(base64));
} catch (const std::invalid_argument& error) {
  throw std::invalid_argument(std::string(which) + ": " + error.what());
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

double ClipScorer::score(metrics::ImageView image, const std::string& prompt) const {
  const c10::InferenceMode inference;
  const at::Tensor features = state_->vision.features(metrics::clipPixels(image, state_->preprocessing));
  return metrics::clipCosines(features, state_->textFeatures(prompt)).item<double>();
}

fs::path clipFolderOf(const fs::path& model) {
  const fs::path own = model / "clip_score";
  return fs::exists(own / "config.json") ? own : defaultModel() / "clip_score";
}

const ClipScorer& Scorer::clip(const fs::path& folder) {
  if (!clip_ || clipFolder_ != folder) {
    clip_.reset();
    clip_ = std::make_unique<ClipScorer>(folder);
    clipFolder_ = folder;
  }
  return *clip_;
}

protocol::ScoreResult Scorer::score(const protocol::ScoreParams& params) {
  if (params.metric == "clip") {
    const fs::path folder = clipFolderOf(resolveModel(params.model));
    const bool embedded = fs::weakly_canonical(folder) == fs::weakly_canonical(defaultModel() / "clip_score");
    const double cosine = clip(folder).score(imageOf(params.image, "image"), params.prompt);
    return {"clip", embedded ? "CLIP-tiny" : "CLIP", std::max(0.0, cosine)};
  }
  if (params.metric != "psnr" && params.metric != "ssim")
    throw std::invalid_argument("metric '" + params.metric + "' is not known; use psnr, ssim or clip");
  const metrics::Image image = imageOf(params.image, "image"), reference = imageOf(params.reference, "reference");
  return params.metric == "psnr" ? protocol::ScoreResult{"psnr", "PSNR", metrics::psnr(image, reference)}
                                 : protocol::ScoreResult{"ssim", "SSIM", metrics::ssim(image, reference)};
}

}  // namespace quantspot::service
