#include "engine/model/decoder.h"
#include "engine/model/ops.h"
#include "engine/model/parameters.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <functional>

namespace quantspot::model {
namespace {

class TinyDecoder final : public Decoder {
 public:
  TinyDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options);
  at::Tensor decode(const at::Tensor& latents) const override;

 private:
  using Layer = std::function<at::Tensor(const at::Tensor&)>;
  Layer block(Parameters& p, const std::string& name, std::int64_t channels) const;

  Activation act_;
  std::vector<Layer> layers_;  // numbered as in decoder.layers.N
};

TinyDecoder::TinyDecoder(const std::filesystem::path& folder, const Config& c, const LoadOptions& options) {
  const auto channels = c.get<std::vector<std::int64_t>>("decoder_block_out_channels", {64, 64, 64, 64});
  const auto blocks = c.get<std::vector<std::int64_t>>("num_decoder_blocks", {3, 3, 3, 1});
  const std::int64_t up = c.positive("upsampling_scaling_factor", 2);
  act_ = findActivation(c.get<std::string>("act_fn", "relu"));
  if (!act_) c.fail("act_fn", "is not a known activation");
  if (c.get<std::string>("upsample_fn", "nearest") != "nearest") c.fail("upsample_fn", "is not supported; only nearest is");
  if (channels.empty() || channels.size() != blocks.size()) c.fail("num_decoder_blocks", "must have one entry per decoder_block_out_channels");
  latentChannels = c.positive("latent_channels", 4);
  for (std::size_t i = 1; i < channels.size(); ++i) scaleFactor *= static_cast<int>(up);

  Parameters p(folder, options, 0, "vae.");
  const auto name = [&] { return fmt::format("decoder.layers.{}", layers_.size()); };
  layers_.push_back(p.conv(name(), latentChannels, channels[0], 3));
  layers_.push_back(act_);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const bool last = i + 1 == channels.size();
    for (std::int64_t j = 0; j < blocks[i]; ++j) layers_.push_back(block(p, name(), channels[i]));
    if (!last) layers_.push_back([up](const at::Tensor& x) { return at::upsample_nearest2d(x, {up * x.size(2), up * x.size(3)}); });
    layers_.push_back(p.conv(name(), channels[i], last ? c.positive("out_channels", 3) : channels[i], 3, last));
  }
  ledger = p.takeLedger();
}

TinyDecoder::Layer TinyDecoder::block(Parameters& p, const std::string& name, std::int64_t channels) const {
  const auto conv = [&](int i) { return p.conv(fmt::format("{}.conv.{}", name, i), channels, channels, 3); };
  return [a = conv(0), b = conv(2), c = conv(4), act = act_](const at::Tensor& x) { return at::relu(c(act(b(act(a(x))))) + x); };
}

at::Tensor TinyDecoder::decode(const at::Tensor& latents) const {
  auto x = at::tanh(latents / 3) * 3;
  for (const Layer& layer : layers_) x = layer(x);
  return x.mul(2).sub(1);
}

}  // namespace

std::unique_ptr<Decoder> loadTinyDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options) {
  return std::make_unique<TinyDecoder>(folder, config, options);
}

}  // namespace quantspot::model
