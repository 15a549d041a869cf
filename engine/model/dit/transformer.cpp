// DiTTransformer2DModel (diffusers 0.42.1, models/transformers/dit_transformer_2d.py).
#include "engine/model/config.h"
#include "engine/model/dit/dit.h"
#include "engine/model/embeddings.h"
#include "engine/model/joint_block.h"
#include "engine/model/patches.h"
#include "engine/model/transformer_block.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

constexpr std::int64_t kTimeChannels = 256;

struct DitConfig {
  explicit DitConfig(const Config& c);

  std::int64_t heads, width, inChannels, outChannels, layers, sample, patch, classes;
  bool attentionBias, affine;
  double normEps;
  Activation activation;
};

DitConfig::DitConfig(const Config& c) {
  if (const auto name = c.get<std::string>("_class_name", "DiTTransformer2DModel"); name != "DiTTransformer2DModel" && name != "Transformer2DModel")
    c.fail("_class_name", "is not supported; DiTTransformer2DModel is");
  if (c.get<std::string>("norm_type", "ada_norm_zero") != "ada_norm_zero") c.fail("norm_type", "is not supported; ada_norm_zero is");
  heads = c.positive("num_attention_heads", 16);
  width = heads * c.positive("attention_head_dim", 72);
  if (width % 4 != 0) c.fail("attention_head_dim", "times num_attention_heads must be a multiple of 4");
  inChannels = c.positive("in_channels", 4);
  outChannels = c.positive("out_channels", inChannels);
  if (outChannels != inChannels && outChannels != 2 * inChannels) c.fail("out_channels", "must be in_channels, or twice that with learned variances");
  layers = c.positive("num_layers", 28);
  sample = c.positive("sample_size", 32);
  patch = c.positive("patch_size", 2);
  if (sample % patch != 0) c.fail("sample_size", "must be a multiple of patch_size");
  classes = c.positive("num_embeds_ada_norm", 1000);
  if (classes < kEmptyClass) c.fail("num_embeds_ada_norm", fmt::format("must be at least {}: that is the empty class of DiTPipeline", kEmptyClass));
  attentionBias = c.get("attention_bias", true);
  affine = c.get("norm_elementwise_affine", false);
  normEps = c.get("norm_eps", 1e-5);
  const auto name = c.get<std::string>("activation_fn", "gelu-approximate");
  activation = FeedForward::activation(name);
  if (!activation) c.fail("activation_fn", "is not supported; gelu-approximate and gelu are");
}

// Every block has its own embeddings of time and class.
class DitBlock {
 public:
  static constexpr std::size_t kLinears = 3 + CrossAttention::kLinears + FeedForward::kLinears;
  DitBlock(Parameters& p, const std::string& name, const DitConfig& c);
  at::Tensor conditioning(double timestep, const at::Tensor& labels, at::ScalarType type) const;   // (B, D)
  at::Tensor forward(const at::Tensor& x, const at::Tensor& conditioning) const;

 private:
  Embedder time_;
  at::Tensor classes_;
  Linear modulation_;
  CrossAttention attention_;
  LayerNorm norm_;
  FeedForward feedForward_;
};

DitBlock::DitBlock(Parameters& p, const std::string& name, const DitConfig& c)
    : time_(loadEmbedder(p, name + "norm1.emb.timestep_embedder", kTimeChannels, c.width)),
      classes_(p.embedding(name + "norm1.emb.class_embedder.embedding_table", c.classes + 1, c.width)),
      modulation_(p.linear(name + "norm1.linear", c.width, 6 * c.width)),
      attention_(p, name + "attn1.", c.width, c.width, c.heads, c.attentionBias),
      norm_(c.affine ? p.layerNorm(name + "norm3", c.width, c.normEps) : LayerNorm{{}, {}, c.normEps}),
      feedForward_(p, name + "ff.", c.width, c.activation) {}

at::Tensor DitBlock::conditioning(double timestep, const at::Tensor& labels, at::ScalarType type) const {
  const at::Tensor times = at::full({labels.size(0)}, timestep, labels.options().dtype(at::kFloat));
  return time_(sinusoid(times, kTimeChannels, {.cosFirst = true, .freqShift = 1}).to(type)) + at::embedding(classes_, labels);
}

// In this order: shift, scale and gate of the attention, then of the feed-forward.
at::Tensor DitBlock::forward(const at::Tensor& x, const at::Tensor& conditioning) const {
  const auto m = modulation_(at::silu(conditioning)).unsqueeze(1).chunk(6, 2);
  const auto in = at::layer_norm(x, {x.size(-1)}, {}, {}, 1e-6) * (1 + m[1]) + m[0];
  const auto attended = m[2] * attention_(in, in) + x;
  return m[5] * feedForward_(norm_(attended) * (1 + m[4]) + m[3]) + attended;
}

class DitTransformer final : public Denoiser {
 public:
  DitTransformer(const std::filesystem::path& folder, const LoadOptions& options);

  at::Tensor predict(const at::Tensor& latents, double timestep, const Condition& condition) const override;
  std::int64_t latentChannels() const override { return config_.inChannels; }
  std::int64_t bytes() const override { return totalBytes(ledger_); }
  std::vector<LayerInfo> layers() const override { return ledger_; }

 private:
  DitConfig config_;
  std::optional<Patches> patches_;
  std::vector<DitBlock> blocks_;
  Linear modulation_, out_;
  std::vector<LayerInfo> ledger_;
};

DitTransformer::DitTransformer(const std::filesystem::path& folder, const LoadOptions& options) : config_(Config(folder / "config.json")) {
  Parameters p(folder, options, 2 + static_cast<std::size_t>(config_.layers) * DitBlock::kLinears);
  patches_.emplace(p, "pos_embed", PatchShape{.channels = config_.inChannels, .width = config_.width, .patch = config_.patch,
      .sample = config_.sample});
  for (std::int64_t i = 0; i < config_.layers; ++i) blocks_.emplace_back(p, fmt::format("transformer_blocks.{}.", i), config_);
  modulation_ = p.linear("proj_out_1", config_.width, 2 * config_.width);
  out_ = p.linear("proj_out_2", config_.width, config_.patch * config_.patch * config_.outChannels);
  ledger_ = p.takeLedger();
}

// Learned variances are left out, as DiTPipeline does.
at::Tensor DitTransformer::predict(const at::Tensor& latents, double timestep, const Condition& condition) const {
  const std::int64_t height = latents.size(2), width = latents.size(3);
  if (height != width) throw ModelError(fmt::format("DiT draws squares; latents of {} × {} are none: give the same width and height", width, height));
  const at::Tensor& labels = conditionOf(condition, "labels");
  at::Tensor x = patches_->tokens(latents);
  for (const DitBlock& block : blocks_) x = block.forward(x, block.conditioning(timestep, labels, x.scalar_type()));
  const auto m = modulation_(at::silu(blocks_.front().conditioning(timestep, labels, x.scalar_type()))).chunk(2, 1);  // shift, scale
  return patches_->joined(out_(modulated(x, m[0], m[1])), height, width).slice(1, 0, config_.inChannels);
}

}  // namespace

std::unique_ptr<Denoiser> loadDitTransformer(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<DitTransformer>(folder, options);
}

}  // namespace quantspot::model
