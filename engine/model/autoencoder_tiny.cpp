#include "engine/model/decoder.h"
#include "engine/model/ops.h"
#include "engine/model/parameters.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <functional>

namespace quantspot::model {
namespace {

using Layer = std::function<at::Tensor(const at::Tensor&)>;

class TinyDecoder final : public Decoder {
 public:
  TinyDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options);
  at::Tensor decode(const at::Tensor& latents) const override;

 private:
  std::vector<Layer> layers_;  // numbered as in decoder.layers.N
};

class TinyEncoder final : public Encoder {
 public:
  TinyEncoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options);
  at::Tensor encode(const at::Tensor& image) const override;

 private:
  std::vector<Layer> layers_;  // numbered as in encoder.layers.N
};

Activation activationOf(const Config& c) {
  const Activation act = findActivation(c.get<std::string>("act_fn", "relu"));
  if (!act) c.fail("act_fn", "is not a known activation");
  return act;
}

Layer blockOf(Parameters& p, const std::string& name, std::int64_t channels, const Activation& act) {
  const auto conv = [&](int i) { return p.conv(fmt::format("{}.conv.{}", name, i), channels, channels, 3); };
  return [a = conv(0), b = conv(2), c = conv(4), act](const at::Tensor& x) { return at::relu(c(act(b(act(a(x))))) + x); };
}

TinyDecoder::TinyDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options) {
  const auto channels = c.get<std::vector<std::int64_t>>("decoder_block_out_channels", {64, 64, 64, 64});
  const auto blocks = c.get<std::vector<std::int64_t>>("num_decoder_blocks", {3, 3, 3, 1});
  const std::int64_t up = c.positive("upsampling_scaling_factor", 2);
  const Activation act = activationOf(c);
  if (c.get<std::string>("upsample_fn", "nearest") != "nearest") c.fail("upsample_fn", "is not supported; only nearest is");
  if (channels.empty() || channels.size() != blocks.size()) c.fail("num_decoder_blocks", "must have one entry per decoder_block_out_channels");
  latentChannels = c.positive("latent_channels", 4);
  for (std::size_t i = 1; i < channels.size(); ++i) scaleFactor *= static_cast<int>(up);

  Parameters p(folder, options, 0, "vae.");
  const auto name = [&] { return fmt::format("decoder.layers.{}", layers_.size()); };
  layers_.push_back(p.conv(name(), latentChannels, channels[0], 3));
  layers_.push_back(act);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const bool last = i + 1 == channels.size();
    for (std::int64_t j = 0; j < blocks[i]; ++j) layers_.push_back(blockOf(p, name(), channels[i], act));
    if (!last) layers_.push_back([up](const at::Tensor& x) { return at::upsample_nearest2d(x, {up * x.size(2), up * x.size(3)}); });
    layers_.push_back(p.conv(name(), channels[i], last ? c.positive("out_channels", 3) : channels[i], 3, last));
  }
  ledger = p.takeLedger();
}

TinyEncoder::TinyEncoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options) {
  const auto channels = c.get<std::vector<std::int64_t>>("encoder_block_out_channels", {64, 64, 64, 64});
  const auto blocks = c.get<std::vector<std::int64_t>>("num_encoder_blocks", {1, 3, 3, 3});
  const Activation act = activationOf(c);
  if (channels.empty() || channels.size() != blocks.size()) c.fail("num_encoder_blocks", "must have one entry per encoder_block_out_channels");
  latentChannels = c.positive("latent_channels", 4);
  draws = false;

  Parameters p(folder, options, 0, "vae.");
  const auto name = [&] { return fmt::format("encoder.layers.{}", layers_.size()); };
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (i == 0) layers_.push_back(p.conv(name(), c.positive("in_channels", 3), channels[0], 3));
    else layers_.push_back(p.conv(name(), channels[i], channels[i], 3, false, {.stride = 2, .padding = 1}));
    for (std::int64_t j = 0; j < blocks[i]; ++j) layers_.push_back(blockOf(p, name(), channels[i], act));
  }
  layers_.push_back(p.conv(name(), channels.back(), latentChannels, 3));
  ledger = p.takeLedger();
}

at::Tensor TinyEncoder::encode(const at::Tensor& image) const {
  at::Tensor x = image.add(1).div(2);
  for (const Layer& layer : layers_) x = layer(x);
  return x;
}

at::Tensor TinyDecoder::decode(const at::Tensor& latents) const {
  auto x = at::tanh(latents / 3) * 3;
  for (const Layer& layer : layers_) x = layer(x);
  return x.mul(2).sub(1);
}

}  // namespace

std::unique_ptr<Encoder> loadTinyEncoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options) {
  return std::make_unique<TinyEncoder>(folder, config, options);
}

std::unique_ptr<Decoder> loadTinyDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options) {
  return std::make_unique<TinyDecoder>(folder, config, options);
}

}  // namespace quantspot::model
