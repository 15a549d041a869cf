#include "engine/model/config.h"
#include "engine/model/embeddings.h"
#include "engine/model/flux/blocks.h"
#include "engine/model/flux/flux.h"
#include "engine/model/ops.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <numeric>

namespace quantspot::model {
namespace {

constexpr std::int64_t kTimeChannels = 256;

struct FluxConfig {
  explicit FluxConfig(const Config& c);

  BlockShape shape;
  std::int64_t inChannels, outChannels, layers, singleLayers, jointWidth, pooledWidth;
  bool guidance;
  std::vector<std::int64_t> axesDims;
};

FluxConfig::FluxConfig(const Config& c) {
  if (const auto name = c.get<std::string>("_class_name", "FluxTransformer2DModel"); name != "FluxTransformer2DModel")
    c.fail("_class_name", "is not supported; only FluxTransformer2DModel is");
  if (c.get<std::int64_t>("patch_size", 1) != 1) c.fail("patch_size", "is not supported; FluxPipeline needs 1");
  shape = {c.positive("num_attention_heads", 24), c.positive("attention_head_dim", 128)};
  inChannels = c.positive("in_channels", 64);
  outChannels = c.positive("out_channels", inChannels);
  if (outChannels != inChannels) c.fail("out_channels", "differs from in_channels; such a transformer needs another pipeline");
  layers = c.count("num_layers", 19);
  singleLayers = c.count("num_single_layers", 38);
  jointWidth = c.positive("joint_attention_dim", 4096);
  pooledWidth = c.positive("pooled_projection_dim", 768);
  guidance = c.get("guidance_embeds", false);
  axesDims = c.get<std::vector<std::int64_t>>("axes_dims_rope", {16, 56, 56});
  const bool even = std::all_of(axesDims.begin(), axesDims.end(), [](std::int64_t d) { return d > 0 && d % 2 == 0; });
  if (axesDims.size() != 3 || !even || std::accumulate(axesDims.begin(), axesDims.end(), std::int64_t{0}) != shape.headWidth)
    c.fail("axes_dims_rope", fmt::format("must be three even widths whose sum is attention_head_dim={}", shape.headWidth));
}

struct Input {
  at::Tensor latents;                              // (B, S, C), packed 2 × 2
  at::Tensor sequence, pooled;                     // (B, L, D), (B, P)
  at::Tensor timestep;                             // (B), sigma in 0…1
  at::Tensor guidance;                             // (B) or undefined
  at::Tensor textIds, imageIds;                    // (L, 3), (S, 3)
};

class FluxTransformer final : public Denoiser {
 public:
  FluxTransformer(const std::filesystem::path& folder, const LoadOptions& options);

  at::Tensor predict(const at::Tensor& latents, double timestep, const Condition& condition) const override;
  bool embedsGuidance() const override { return config_.guidance; }
  std::int64_t latentChannels() const override { return config_.inChannels / 4; }
  std::int64_t bytes() const override { return totalBytes(ledger_); }
  std::vector<LayerInfo> layers() const override { return ledger_; }

 private:
  std::size_t linears() const;
  at::Tensor forward(const Input& input) const;    // velocity (B, S, C)
  void check(const Input& input) const;
  at::Tensor conditioning(const Input& input, at::ScalarType type) const;

  FluxConfig config_;
  Embedder time_, guidance_, pooled_;
  Linear imageIn_, textIn_, modulationOut_, out_;
  std::vector<JointBlock> doubles_;
  std::vector<SingleBlock> singles_;
  std::vector<LayerInfo> ledger_;
};

FluxTransformer::FluxTransformer(const std::filesystem::path& folder, const LoadOptions& options) : config_(Config(folder / "config.json")) {
  const std::int64_t width = config_.shape.width();
  Parameters p(folder, options, linears());
  time_ = loadEmbedder(p, "time_text_embed.timestep_embedder", kTimeChannels, width);
  if (config_.guidance) guidance_ = loadEmbedder(p, "time_text_embed.guidance_embedder", kTimeChannels, width);
  pooled_ = loadEmbedder(p, "time_text_embed.text_embedder", config_.pooledWidth, width);
  textIn_ = p.linear("context_embedder", config_.jointWidth, width);
  imageIn_ = p.linear("x_embedder", config_.inChannels, width);
  for (std::int64_t i = 0; i < config_.layers; ++i) doubles_.emplace_back(p, fmt::format("transformer_blocks.{}.", i), config_.shape);
  for (std::int64_t i = 0; i < config_.singleLayers; ++i) singles_.emplace_back(p, fmt::format("single_transformer_blocks.{}.", i), config_.shape);
  modulationOut_ = p.linear("norm_out.linear", width, 2 * width);
  out_ = p.linear("proj_out", width, config_.outChannels);
  ledger_ = p.takeLedger();
}

std::size_t FluxTransformer::linears() const {
  return 8 + (config_.guidance ? 2 : 0) + static_cast<std::size_t>(config_.layers) * JointBlock::linears() +
         static_cast<std::size_t>(config_.singleLayers) * SingleBlock::kLinears;
}

// The time is scaled in the compute type, as diffusers does: in bf16 that rounds it.
at::Tensor FluxTransformer::conditioning(const Input& input, at::ScalarType type) const {
  auto sum = time_(sinusoid(input.timestep.to(type) * 1000, kTimeChannels).to(input.pooled.scalar_type()));
  if (config_.guidance) {
    sum = sum + guidance_(sinusoid(input.guidance.to(type) * 1000, kTimeChannels).to(input.pooled.scalar_type()));
  }
  return sum + pooled_(input.pooled);
}

// A pipeline put together from parts that do not fit is told here, not by the first matrix product.
void FluxTransformer::check(const Input& input) const {
  const auto fits = [](const char* what, const at::Tensor& x, const char* key, std::int64_t width) {
    if (x.size(-1) != width) throw ModelError(fmt::format("transformer: {} has width {}, {} is {}", what, x.size(-1), key, width));
  };
  fits("the output of text_encoder_2", input.sequence, "joint_attention_dim", config_.jointWidth);
  fits("the output of text_encoder", input.pooled, "pooled_projection_dim", config_.pooledWidth);
  fits("the packed latent", input.latents, "in_channels", config_.inChannels);
}

at::Tensor FluxTransformer::forward(const Input& input) const {
  check(input);
  Tokens tokens{.text = {}, .image = imageIn_(input.latents)};
  const auto signal = conditioning(input, tokens.image.scalar_type());
  tokens.text = textIn_(input.sequence);
  const auto rotary = Rotary::fromIds(at::cat({input.textIds, input.imageIds}, 0), config_.axesDims);
  for (const JointBlock& block : doubles_) tokens = block.forward(tokens, signal, &rotary);
  auto x = at::cat({tokens.text, tokens.image}, 1);
  for (const SingleBlock& block : singles_) x = block.forward(x, signal, rotary);
  const auto modulation = modulationOut_(at::silu(signal)).chunk(2, 1);  // scale, shift
  return out_(modulated(x.slice(1, tokens.text.size(1)), modulation[1], modulation[0]));
}

// The reference rounds the timestep to the compute type before it divides; bf16 pictures depend on it.
at::Tensor FluxTransformer::predict(const at::Tensor& latents, double timestep, const Condition& condition) const {
  const std::int64_t pictures = latents.size(0), height = latents.size(2), width = latents.size(3);
  const auto compute = latents.options();
  Input input;
  input.latents = packLatents(latents);
  input.sequence = conditionOf(condition, "sequence");
  input.pooled = conditionOf(condition, "pooled");
  input.timestep = at::full({pictures}, timestep, compute.dtype(at::kFloat)).to(compute.dtype()) / 1000;
  if (config_.guidance) input.guidance = conditionOf(condition, "guidance");
  input.textIds = at::zeros({input.sequence.size(1), 3}, compute);
  input.imageIds = imageIds(height, width, compute);
  return unpackLatents(forward(input), height, width);
}

}  // namespace

std::unique_ptr<Denoiser> loadFluxTransformer(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<FluxTransformer>(folder / "transformer", options);
}

}  // namespace quantspot::model
