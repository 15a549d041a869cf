#include "engine/model/decoder.h"
#include "engine/model/resnet.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

namespace quantspot::model {
namespace {

constexpr double kEps = 1e-6;

// What all blocks of one decoder share.
struct Builder {
  Parameters& p;
  ResnetOptions resnet;
};

// Torch multiplies such a view of transposed pixels without the bias and adds that in a second step; in bf16 both round.
struct Projection {
  Linear product;
  at::Tensor bias;
  at::Tensor operator()(const at::Tensor& x) const { return product(x) + bias; }
};

// Folders written before diffusers 0.13 use the second name.
std::string attentionLayer(const Parameters& p, const std::string& name, const char* now, const char* before) {
  return name + (p.has(name + before + ".weight") ? before : now);
}

Projection loadProjection(Parameters& p, const std::string& layer, std::int64_t width) {
  Linear product = p.linear(layer, width, width, false);
  return {std::move(product), p.biasOf(layer, width)};
}

// One head over all pixels.
class PixelAttention {
 public:
  PixelAttention(const Builder& b, const std::string& name, std::int64_t width)
      : norm_(b.p.groupNorm(name + "group_norm", width, b.resnet.groups, kEps)),
        q_(loadProjection(b.p, attentionLayer(b.p, name, "to_q", "query"), width)),
        k_(loadProjection(b.p, attentionLayer(b.p, name, "to_k", "key"), width)),
        v_(loadProjection(b.p, attentionLayer(b.p, name, "to_v", "value"), width)),
        out_(b.p.linear(attentionLayer(b.p, name, "to_out.0", "proj_attn"), width, width)) {}
  at::Tensor operator()(const at::Tensor& x) const {
    const auto in = norm_(x.flatten(2)).transpose(1, 2);
    const auto out = out_(joinHeads(attention(splitHeads(q_(in), 1), splitHeads(k_(in), 1), splitHeads(v_(in), 1))));
    return out.transpose(1, 2).reshape(x.sizes()) + x;
  }

 private:
  GroupNorm norm_;
  Projection q_, k_, v_;
  Linear out_;
};

class KlDecoder final : public Decoder {
 public:
  KlDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options);
  at::Tensor decode(const at::Tensor& latents) const override;

 private:
  struct Stage {
    std::vector<Resnet> resnets;
    std::optional<Conv> upsampler;
  };

  std::optional<Conv> postQuant_;
  Conv in_, out_;
  std::vector<Resnet> middle_;
  std::optional<PixelAttention> attention_;
  std::vector<Stage> stages_;
  GroupNorm norm_;
};

std::vector<std::int64_t> stageChannels(const Config& c, std::int64_t groups) {
  const auto channels = c.get<std::vector<std::int64_t>>("block_out_channels", {64});
  const auto types = c.get<std::vector<std::string>>("up_block_types", {"UpDecoderBlock2D"});
  if (std::any_of(types.begin(), types.end(), [](const auto& type) { return type != "UpDecoderBlock2D"; }))
    c.fail("up_block_types", "is not supported; only UpDecoderBlock2D is");
  if (channels.empty() || channels.size() != types.size()) c.fail("block_out_channels", "must have one entry per up_block_types");
  if (std::any_of(channels.begin(), channels.end(), [&](std::int64_t n) { return n < 1 || n % groups != 0; }))
    c.fail("block_out_channels", fmt::format("must be multiples of norm_num_groups={}", groups));
  return {channels.rbegin(), channels.rend()};
}

KlDecoder::KlDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options) {
  const bool attends = c.get("mid_block_add_attention", true);
  const std::int64_t groups = c.positive("norm_num_groups", 32);
  const auto channels = stageChannels(c, groups);
  const Activation act = findActivation(c.get<std::string>("act_fn", "silu"));
  if (!act) c.fail("act_fn", "is not a known activation");
  latentChannels = c.positive("latent_channels", 4);
  scaleFactor = 1 << (channels.size() - 1);
  Parameters p(folder, options, attends ? 4 : 0, "vae.");
  const Builder build{p, {.groups = groups, .eps = kEps, .act = act}};
  if (c.get("use_post_quant_conv", true)) postQuant_ = p.conv("post_quant_conv", latentChannels, latentChannels, 1);
  in_ = p.conv("decoder.conv_in", latentChannels, channels[0], 3);
  for (int i = 0; i < 2; ++i) middle_.emplace_back(p, fmt::format("decoder.mid_block.resnets.{}.", i), channels[0], channels[0], build.resnet);
  if (attends) attention_.emplace(build, "decoder.mid_block.attentions.0.", channels[0]);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    Stage& stage = stages_.emplace_back();
    for (std::int64_t j = 0; j <= c.positive("layers_per_block", 1); ++j)
      stage.resnets.emplace_back(p, fmt::format("decoder.up_blocks.{}.resnets.{}.", i, j), channels[j == 0 && i > 0 ? i - 1 : i], channels[i], build.resnet);
    if (i + 1 < channels.size()) stage.upsampler = p.conv(fmt::format("decoder.up_blocks.{}.upsamplers.0.conv", i), channels[i], channels[i], 3);
  }
  norm_ = p.groupNorm("decoder.conv_norm_out", channels.back(), groups, kEps);
  out_ = p.conv("decoder.conv_out", channels.back(), c.positive("out_channels", 3), 3);
  ledger = p.takeLedger();
}

at::Tensor KlDecoder::decode(const at::Tensor& latents) const {
  auto x = in_(postQuant_ ? (*postQuant_)(latents) : latents);
  x = middle_[0](x);
  if (attention_) x = (*attention_)(x);
  x = middle_[1](x);
  for (const Stage& stage : stages_) {
    for (const Resnet& resnet : stage.resnets) x = resnet(x);
    if (stage.upsampler) x = (*stage.upsampler)(enlarged(x));
  }
  return out_(at::silu(norm_(x)));
}

}  // namespace

std::unique_ptr<Decoder> loadKlDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options) {
  return std::make_unique<KlDecoder>(folder, config, options);
}

}  // namespace quantspot::model
