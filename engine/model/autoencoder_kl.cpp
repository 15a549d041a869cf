#include "engine/model/decoder.h"
#include "engine/model/kl_blocks.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

namespace quantspot::model {
namespace {

constexpr double kEps = 1e-6;

// Resnets of one size of map, and what leads to the next.
struct Stage {
  std::vector<Resnet> resnets;
  std::optional<Conv> resize;
};

class KlDecoder final : public Decoder {
 public:
  KlDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options);
  at::Tensor decode(const at::Tensor& latents) const override;

 private:
  std::optional<Conv> postQuant_;
  Conv in_, out_;
  std::optional<KlMiddle> middle_;
  std::vector<Stage> stages_;
  GroupNorm norm_;
};

KlDecoder::KlDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options) {
  const KlShape shape(c, kKlDecoder);
  const std::vector<std::int64_t> channels(shape.channels.rbegin(), shape.channels.rend());
  latentChannels = shape.latentChannels;
  scaleFactor = 1 << (channels.size() - 1);
  Parameters p(folder, options, shape.attends ? KlMiddle::kLinears : 0, "vae.");
  if (c.get("use_post_quant_conv", true)) postQuant_ = p.conv("post_quant_conv", latentChannels, latentChannels, 1);
  in_ = p.conv("decoder.conv_in", latentChannels, channels[0], 3);
  middle_.emplace(p, "decoder.mid_block.", shape);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    Stage& stage = stages_.emplace_back();
    for (std::int64_t j = 0; j <= shape.layers; ++j)
      stage.resnets.emplace_back(p, fmt::format("decoder.up_blocks.{}.resnets.{}.", i, j), channels[j == 0 && i > 0 ? i - 1 : i], channels[i],
                                 shape.resnet);
    if (i + 1 < channels.size()) stage.resize = p.conv(fmt::format("decoder.up_blocks.{}.upsamplers.0.conv", i), channels[i], channels[i], 3);
  }
  norm_ = p.groupNorm("decoder.conv_norm_out", channels.back(), shape.resnet.groups, kEps);
  out_ = p.conv("decoder.conv_out", channels.back(), c.positive("out_channels", 3), 3);
  ledger = p.takeLedger();
  const bool isList = c.has("sample_size") && c.json()["sample_size"].is_array();
  const auto sample = isList ? c.get<std::vector<std::int64_t>>("sample_size", {}) : std::vector{c.positive("sample_size", 32)};
  if (sample.empty() || sample.front() < scaleFactor) c.fail("sample_size", fmt::format("must be at least {}", scaleFactor));
  tileSize = sample.front();
}

at::Tensor KlDecoder::decode(const at::Tensor& latents) const {
  auto x = (*middle_)(in_(postQuant_ ? (*postQuant_)(latents) : latents));
  for (const Stage& stage : stages_) {
    for (const Resnet& resnet : stage.resnets) x = resnet(x);
    if (stage.resize) x = (*stage.resize)(enlarged(x));
  }
  return out_(at::silu(norm_(x)));
}

class KlEncoder final : public Encoder {
 public:
  KlEncoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options);
  at::Tensor encode(const at::Tensor& image) const override;

 private:
  std::optional<Conv> quant_;
  Conv in_, out_;
  std::vector<Stage> stages_;
  std::optional<KlMiddle> middle_;
  GroupNorm norm_;
};

KlEncoder::KlEncoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options) {
  const KlShape shape(c, kKlEncoder);
  const auto& channels = shape.channels;
  latentChannels = shape.latentChannels;
  Parameters p(folder, options, shape.attends ? KlMiddle::kLinears : 0, "vae.");
  in_ = p.conv("encoder.conv_in", c.positive("in_channels", 3), channels[0], 3);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    Stage& stage = stages_.emplace_back();
    for (std::int64_t j = 0; j < shape.layers; ++j)
      stage.resnets.emplace_back(p, fmt::format("encoder.down_blocks.{}.resnets.{}.", i, j), channels[j == 0 && i > 0 ? i - 1 : i], channels[i],
                                 shape.resnet);
    if (i + 1 < channels.size())
      stage.resize = p.conv(fmt::format("encoder.down_blocks.{}.downsamplers.0.conv", i), channels[i], channels[i], 3, true,
                            {.stride = 2, .padding = 0});
  }
  middle_.emplace(p, "encoder.mid_block.", shape);
  norm_ = p.groupNorm("encoder.conv_norm_out", channels.back(), shape.resnet.groups, kEps);
  out_ = p.conv("encoder.conv_out", channels.back(), 2 * latentChannels, 3);
  if (c.get("use_quant_conv", true)) quant_ = p.conv("quant_conv", 2 * latentChannels, 2 * latentChannels, 1);
  ledger = p.takeLedger();
}

at::Tensor KlEncoder::encode(const at::Tensor& image) const {
  auto x = in_(image);
  for (const Stage& stage : stages_) {
    for (const Resnet& resnet : stage.resnets) x = resnet(x);
    if (stage.resize) x = (*stage.resize)(at::constant_pad_nd(x, {0, 1, 0, 1}));
  }
  x = out_(at::silu(norm_((*middle_)(x))));
  return quant_ ? (*quant_)(x) : x;
}

}  // namespace

std::unique_ptr<Decoder> loadKlDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options) {
  return std::make_unique<KlDecoder>(folder, config, options);
}

std::unique_ptr<Encoder> loadKlEncoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options) {
  return std::make_unique<KlEncoder>(folder, config, options);
}

}  // namespace quantspot::model
