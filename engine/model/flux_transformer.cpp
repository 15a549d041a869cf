#include "engine/model/config.h"
#include "engine/model/flux_blocks.h"
#include "engine/model/ops.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <cmath>
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
  if (c.get<int>("patch_size", 1) != 1) c.fail("patch_size", "is not supported; FluxPipeline needs 1");
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

// Two linear layers with SiLU between.
struct Embedder {
  Linear first, second;
  at::Tensor operator()(const at::Tensor& x) const { return second(at::silu(first(x))); }
};

Embedder loadEmbedder(Parameters& p, const std::string& name, std::int64_t in, std::int64_t out) {
  return {p.linear(name + ".linear_1", in, out), p.linear(name + ".linear_2", out, out)};
}

// (B), 0…1000 → (B, 256): cosines, then sines, in float32.
at::Tensor sinusoid(const at::Tensor& time) {
  constexpr std::int64_t half = kTimeChannels / 2;
  const auto exponents = -std::log(10000.0) * at::arange(0, half, time.options().dtype(at::kFloat)) / static_cast<double>(half);
  const auto angles = time.to(at::kFloat).unsqueeze(1) * at::exp(exponents).unsqueeze(0);
  return at::cat({at::cos(angles), at::sin(angles)}, -1);
}

class FluxTransformer final : public Transformer {
 public:
  FluxTransformer(const std::filesystem::path& folder, const LoadOptions& options);

  at::Tensor forward(const TransformerInput& input) const override;
  bool guidanceEmbeds() const override { return config_.guidance; }
  std::int64_t inChannels() const override { return config_.inChannels; }
  std::int64_t bytes() const override { return totalBytes(ledger_); }
  std::vector<LayerInfo> layers() const override { return ledger_; }

 private:
  std::size_t linears() const;
  void check(const TransformerInput& input) const;
  at::Tensor conditioning(const TransformerInput& input, at::ScalarType type) const;

  FluxConfig config_;
  Embedder time_, guidance_, pooled_;
  Linear imageIn_, textIn_, modulationOut_, out_;
  std::vector<DoubleBlock> doubles_;
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
  return 8 + (config_.guidance ? 2 : 0) + static_cast<std::size_t>(config_.layers) * DoubleBlock::kLinears +
         static_cast<std::size_t>(config_.singleLayers) * SingleBlock::kLinears;
}

// The time is scaled in the compute type, as diffusers does: in bf16 that rounds it.
at::Tensor FluxTransformer::conditioning(const TransformerInput& input, at::ScalarType type) const {
  auto sum = time_(sinusoid(input.timestep.to(type) * 1000).to(input.pooled.scalar_type()));
  if (config_.guidance) {
    if (!input.guidance.defined()) throw ModelError("this transformer has a guidance embedding: give a guidance");
    sum = sum + guidance_(sinusoid(input.guidance.to(type) * 1000).to(input.pooled.scalar_type()));
  }
  return sum + pooled_(input.pooled);
}

// A pipeline put together from parts that do not fit is told here, not by the first matrix product.
void FluxTransformer::check(const TransformerInput& input) const {
  const auto fits = [](const char* what, const at::Tensor& x, const char* key, std::int64_t width) {
    if (x.size(-1) != width) throw ModelError(fmt::format("transformer: {} has width {}, {} is {}", what, x.size(-1), key, width));
  };
  fits("the output of text_encoder_2", input.sequence, "joint_attention_dim", config_.jointWidth);
  fits("the output of text_encoder", input.pooled, "pooled_projection_dim", config_.pooledWidth);
  fits("the packed latent", input.latents, "in_channels", config_.inChannels);
}

at::Tensor FluxTransformer::forward(const TransformerInput& input) const {
  check(input);
  Tokens tokens{.text = {}, .image = imageIn_(input.latents)};
  const auto signal = conditioning(input, tokens.image.scalar_type());
  tokens.text = textIn_(input.sequence);
  const auto rotary = Rotary::fromIds(at::cat({input.textIds, input.imageIds}, 0), config_.axesDims);
  for (const DoubleBlock& block : doubles_) tokens = block.forward(tokens, signal, rotary);
  auto x = at::cat({tokens.text, tokens.image}, 1);
  for (const SingleBlock& block : singles_) x = block.forward(x, signal, rotary);
  const auto modulation = modulationOut_(at::silu(signal)).chunk(2, 1);  // scale, shift
  const auto image = x.slice(1, tokens.text.size(1));
  return out_(at::layer_norm(image, {image.size(-1)}, {}, {}, 1e-6) * (1 + modulation[0]).unsqueeze(1) + modulation[1].unsqueeze(1));
}

}  // namespace

std::unique_ptr<Transformer> loadTransformer(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<FluxTransformer>(folder / "transformer", options);
}

}  // namespace quantspot::model
