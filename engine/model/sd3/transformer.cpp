// SD3Transformer2DModel (diffusers 0.42.1, models/transformers/transformer_sd3.py).
#include "engine/model/config.h"
#include "engine/model/embeddings.h"
#include "engine/model/joint_block.h"
#include "engine/model/patches.h"
#include "engine/model/sd3/sd3.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

constexpr std::int64_t kTimeChannels = 256;

struct Sd3Config {
  explicit Sd3Config(const Config& c);
  JointOptions block(std::int64_t index) const;
  std::size_t linears() const;

  BlockShape shape;
  std::int64_t inChannels, layers, sample, patch, largest, jointWidth, pooledWidth;
  std::vector<std::int64_t> dualLayers;
  bool normedHeads = false;
};

Sd3Config::Sd3Config(const Config& c) {
  if (const auto name = c.get<std::string>("_class_name", "SD3Transformer2DModel"); name != "SD3Transformer2DModel")
    c.fail("_class_name", "is not supported; SD3Transformer2DModel is");
  shape = {c.positive("num_attention_heads", 18), c.positive("attention_head_dim", 64)};
  inChannels = c.positive("in_channels", 16);
  if (c.positive("out_channels", inChannels) != inChannels) c.fail("out_channels", "must be in_channels");
  layers = c.positive("num_layers", 18);
  sample = c.positive("sample_size", 128);
  patch = c.positive("patch_size", 2);
  largest = c.positive("pos_embed_max_size", 96);
  jointWidth = c.positive("joint_attention_dim", 4096);
  pooledWidth = c.positive("pooled_projection_dim", 2048);
  if (c.positive("caption_projection_dim", 1152) != shape.width())
    c.fail("caption_projection_dim", "must be num_attention_heads times attention_head_dim");
  dualLayers = c.get<std::vector<std::int64_t>>("dual_attention_layers", {});
  if (!c.has("qk_norm")) return;
  if (c.need<std::string>("qk_norm") != "rms_norm") c.fail("qk_norm", "is not supported; rms_norm is");
  normedHeads = true;
}

JointOptions Sd3Config::block(std::int64_t index) const {
  return {.normedHeads = normedHeads, .lastOfText = index == layers - 1, .dual = std::ranges::find(dualLayers, index) != dualLayers.end()};
}

std::size_t Sd3Config::linears() const {
  std::size_t count = 7;
  for (std::int64_t i = 0; i < layers; ++i) count += JointBlock::linears(block(i));
  return count;
}

class Sd3Transformer final : public Denoiser {
 public:
  Sd3Transformer(const std::filesystem::path& folder, const LoadOptions& options);

  at::Tensor predict(const at::Tensor& latents, double timestep, const Condition& condition) const override;
  std::int64_t latentChannels() const override { return config_.inChannels; }
  std::int64_t bytes() const override { return totalBytes(ledger_); }
  std::vector<LayerInfo> layers() const override { return ledger_; }

 private:
  Sd3Config config_;
  std::optional<Patches> patches_;
  Embedder time_, pooled_;
  Linear textIn_, modulationOut_, out_;
  std::vector<JointBlock> blocks_;
  std::vector<LayerInfo> ledger_;
};

Sd3Transformer::Sd3Transformer(const std::filesystem::path& folder, const LoadOptions& options) : config_(Config(folder / "config.json")) {
  const std::int64_t width = config_.shape.width();
  Parameters p(folder, options, config_.linears());
  patches_.emplace(p, "pos_embed",
                   PatchShape{.channels = config_.inChannels, .width = width, .patch = config_.patch, .sample = config_.sample, .scale = 1,
                       .largest = config_.largest});
  time_ = loadEmbedder(p, "time_text_embed.timestep_embedder", kTimeChannels, width);
  pooled_ = loadEmbedder(p, "time_text_embed.text_embedder", config_.pooledWidth, width);
  textIn_ = p.linear("context_embedder", config_.jointWidth, width);
  for (std::int64_t i = 0; i < config_.layers; ++i)
    blocks_.emplace_back(p, fmt::format("transformer_blocks.{}.", i), config_.shape, config_.block(i));
  modulationOut_ = p.linear("norm_out.linear", width, 2 * width);
  out_ = p.linear("proj_out", width, config_.patch * config_.patch * config_.inChannels);
  ledger_ = p.takeLedger();
}

at::Tensor Sd3Transformer::predict(const at::Tensor& latents, double timestep, const Condition& condition) const {
  const at::Tensor &sequence = conditionOf(condition, "sequence"), &pooled = conditionOf(condition, "pooled");
  if (sequence.size(2) != config_.jointWidth)
    throw ModelError(fmt::format("transformer: the output of the text encoders has width {}, joint_attention_dim is {}", sequence.size(2),
        config_.jointWidth));
  if (pooled.size(1) != config_.pooledWidth)
    throw ModelError(fmt::format("transformer: the pooled outputs have width {}, pooled_projection_dim is {}", pooled.size(1), config_.pooledWidth));
  const at::Tensor times = at::full({latents.size(0)}, timestep, latents.options().dtype(at::kFloat));
  const at::Tensor signal = time_(sinusoid(times, kTimeChannels).to(pooled.scalar_type())) + pooled_(pooled);
  Tokens tokens{.text = textIn_(sequence), .image = patches_->tokens(latents)};
  for (const JointBlock& block : blocks_) tokens = block.forward(tokens, signal);
  const auto m = modulationOut_(at::silu(signal)).chunk(2, 1);  // scale, shift
  return patches_->joined(out_(modulated(tokens.image, m[1], m[0])), latents.size(2), latents.size(3));
}

}  // namespace

std::unique_ptr<Denoiser> loadSd3Transformer(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<Sd3Transformer>(folder, options);
}

}  // namespace quantspot::model
