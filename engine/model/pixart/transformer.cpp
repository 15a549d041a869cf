// PixArtTransformer2DModel (diffusers 0.42.1, models/transformers/pixart_transformer_2d.py), as PixArt-Σ uses it.
#include "engine/model/config.h"
#include "engine/model/embeddings.h"
#include "engine/model/patches.h"
#include "engine/model/pixart/pixart.h"
#include "engine/model/transformer_block.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

constexpr std::int64_t kTimeChannels = 256;
constexpr double kMasked = -10000.0;   // added to the scores of padding

struct PixArtConfig {
  explicit PixArtConfig(const Config& c);

  std::int64_t heads, width, inChannels, outChannels, layers, sample, patch, captionChannels, contextWidth;
  double scale, normEps;
  bool attentionBias;
  Activation activation;
};

PixArtConfig::PixArtConfig(const Config& c) {
  if (const auto name = c.get<std::string>("_class_name", "PixArtTransformer2DModel"); name != "PixArtTransformer2DModel"
      && name != "Transformer2DModel")
    c.fail("_class_name", "is not supported; PixArtTransformer2DModel is");
  if (c.get<std::string>("norm_type", "ada_norm_single") != "ada_norm_single") c.fail("norm_type", "is not supported; ada_norm_single is");
  if (c.get("norm_elementwise_affine", false)) c.fail("norm_elementwise_affine", "is not supported");
  if (c.get<std::string>("attention_type", "default") != "default") c.fail("attention_type", "is not supported; default is");
  heads = c.positive("num_attention_heads", 16);
  width = heads * c.positive("attention_head_dim", 72);
  if (width % 4 != 0) c.fail("attention_head_dim", "times num_attention_heads must be a multiple of 4");
  inChannels = c.positive("in_channels", 4);
  outChannels = c.has("out_channels") ? c.positive("out_channels", 8) : c.json().contains("out_channels") ? inChannels : 8;
  if (outChannels != inChannels && outChannels != 2 * inChannels) c.fail("out_channels", "must be in_channels, or twice that with learned variances");
  layers = c.positive("num_layers", 28);
  sample = c.positive("sample_size", 128);
  patch = c.positive("patch_size", 2);
  if (sample % patch != 0) c.fail("sample_size", "must be a multiple of patch_size");
  if (c.get("use_additional_conditions", sample == 128))
    c.fail("use_additional_conditions", "is that of PixArt-α, which is not supported; PixArt-Σ is");
  scale = c.get("interpolation_scale", static_cast<double>(std::max<std::int64_t>(sample / 64, 1)));
  normEps = c.get("norm_eps", 1e-6);
  attentionBias = c.get("attention_bias", true);
  captionChannels = c.count("caption_channels", 0);
  contextWidth = c.positive("cross_attention_dim", 1152);
  if (captionChannels > 0 && contextWidth != width)
    c.fail("cross_attention_dim", "must be num_attention_heads times attention_head_dim where captions are projected");
  const auto name = c.get<std::string>("activation_fn", "gelu-approximate");
  activation = FeedForward::activation(name);
  if (!activation) c.fail("activation_fn", "is not supported; gelu-approximate and gelu are");
}

class PixArtBlock {
 public:
  static constexpr std::size_t kLinears = 2 * CrossAttention::kLinears + FeedForward::kLinears;
  PixArtBlock(Parameters& p, const std::string& name, const PixArtConfig& c)
      : eps_(c.normEps), table_(p.tensor(name + "scale_shift_table", {6, c.width})),
        self_(p, name + "attn1.", c.width, c.width, c.heads, c.attentionBias),
        cross_(p, name + "attn2.", c.width, c.contextWidth, c.heads, c.attentionBias), feedForward_(p, name + "ff.", c.width, c.activation) {}

  // time (B, 6, D): of all blocks, to which each adds its own; in this order: shift, scale and gate of the attention, then of the feed-forward.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& time, const at::Tensor& context, const at::Tensor& mask) const {
    const auto m = (table_.unsqueeze(0) + time).chunk(6, 1);
    const auto normed = [&](const at::Tensor& tokens) { return at::layer_norm(tokens, {tokens.size(-1)}, {}, {}, eps_); };
    const auto in = normed(x) * (1 + m[1]) + m[0];
    const auto attended = m[2] * self_(in, in) + x;
    const auto told = cross_(attended, context, mask) + attended;
    return m[5] * feedForward_(normed(told) * (1 + m[4]) + m[3]) + told;
  }

 private:
  double eps_;
  at::Tensor table_;
  CrossAttention self_, cross_;
  FeedForward feedForward_;
};

class PixArtTransformer final : public Denoiser {
 public:
  PixArtTransformer(const std::filesystem::path& folder, const LoadOptions& options);

  at::Tensor predict(const at::Tensor& latents, double timestep, const Condition& condition) const override;
  std::int64_t latentChannels() const override { return config_.inChannels; }
  std::int64_t bytes() const override { return totalBytes(ledger_); }
  std::vector<LayerInfo> layers() const override { return ledger_; }

 private:
  PixArtConfig config_;
  std::optional<Patches> patches_;
  Embedder time_;
  std::optional<Embedder> caption_;
  Linear modulation_, out_;
  at::Tensor table_;
  std::vector<PixArtBlock> blocks_;
  std::vector<LayerInfo> ledger_;
};

PixArtTransformer::PixArtTransformer(const std::filesystem::path& folder, const LoadOptions& options) : config_(Config(folder / "config.json")) {
  const std::int64_t width = config_.width;
  Parameters p(folder, options, 4 + (config_.captionChannels > 0 ? 2 : 0) + static_cast<std::size_t>(config_.layers) * PixArtBlock::kLinears);
  patches_.emplace(p, "pos_embed", PatchShape{.channels = config_.inChannels, .width = width, .patch = config_.patch, .sample = config_.sample,
      .scale = config_.scale});
  time_ = loadEmbedder(p, "adaln_single.emb.timestep_embedder", kTimeChannels, width);
  modulation_ = p.linear("adaln_single.linear", width, 6 * width);
  if (config_.captionChannels > 0) {
    caption_ = loadEmbedder(p, "caption_projection", config_.captionChannels, width);
    caption_->act = findActivation("gelu_pytorch_tanh");
  }
  for (std::int64_t i = 0; i < config_.layers; ++i) blocks_.emplace_back(p, fmt::format("transformer_blocks.{}.", i), config_);
  table_ = p.tensor("scale_shift_table", {2, width});
  out_ = p.linear("proj_out", width, config_.patch * config_.patch * config_.outChannels);
  ledger_ = p.takeLedger();
}

// Learned variances are left out, as the pipeline does.
at::Tensor PixArtTransformer::predict(const at::Tensor& latents, double timestep, const Condition& condition) const {
  at::Tensor context = conditionOf(condition, "sequence");
  const std::int64_t wanted = caption_ ? config_.captionChannels : config_.contextWidth;
  if (context.size(2) != wanted)
    throw ModelError(fmt::format("transformer: the output of text_encoder has width {}, {} is {}", context.size(2),
                                 caption_ ? "caption_channels" : "cross_attention_dim", wanted));
  at::Tensor x = patches_->tokens(latents);
  const at::Tensor mask = ((1 - conditionOf(condition, "mask").to(x.scalar_type())) * kMasked).unsqueeze(1).unsqueeze(1);
  const at::Tensor times = at::full({latents.size(0)}, timestep, latents.options().dtype(at::kFloat));
  const at::Tensor embedded = time_(sinusoid(times, kTimeChannels).to(x.scalar_type()));
  const at::Tensor time = modulation_(at::silu(embedded)).reshape({latents.size(0), 6, -1});
  if (caption_) context = (*caption_)(context);
  for (const PixArtBlock& block : blocks_) x = block.forward(x, time, context, mask);
  const auto m = (table_.unsqueeze(0) + embedded.unsqueeze(1)).chunk(2, 1);  // shift, scale
  x = out_(at::layer_norm(x, {x.size(-1)}, {}, {}, 1e-6) * (1 + m[1]) + m[0]);
  return patches_->joined(x, latents.size(2), latents.size(3)).slice(1, 0, config_.inChannels);
}

}  // namespace

std::unique_ptr<Denoiser> loadPixArtTransformer(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<PixArtTransformer>(folder, options);
}

}  // namespace quantspot::model
