#include "engine/model/autoencoder.h"

#include "engine/model/decoder.h"
#include "engine/model/parameters.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

// What lies between latents and what the decoder takes.
struct Scaling {
  double scaling = 1, shift = 0;
  at::Tensor mean, deviation;            // (1, C, 1, 1) of each channel, or undefined

  at::Tensor undone(const at::Tensor& latents) const {
    if (!mean.defined()) return latents / scaling + shift;
    return latents * deviation.to(latents.options()) / scaling + mean.to(latents.options());
  }
};

at::Tensor perChannel(const Config& c, const std::string& key, std::int64_t channels) {
  const auto values = c.get<std::vector<double>>(key, {});
  if (static_cast<std::int64_t>(values.size()) != channels) c.fail(key, fmt::format("must hold {} numbers", channels));
  return at::tensor(values, at::kFloat).view({1, -1, 1, 1});
}

Scaling scalingOf(const Config& c, double defaultScaling, std::int64_t channels, const VaeOptions& vae) {
  Scaling scaling{c.get("scaling_factor", defaultScaling), c.get("shift_factor", 0.0), {}, {}};
  if (scaling.scaling == 0) c.fail("scaling_factor", "must not be 0");
  if (vae.perChannel && c.has("latents_mean") && c.has("latents_std")) {
    scaling.mean = perChannel(c, "latents_mean", channels);
    scaling.deviation = perChannel(c, "latents_std", channels);
  }
  return scaling;
}

class ScaledAutoencoder final : public Autoencoder {
 public:
  ScaledAutoencoder(std::unique_ptr<Decoder> decoder, const Config& c, double defaultScaling, at::ScalarType compute, const VaeOptions& vae)
      : decoder_(std::move(decoder)), scaling_(scalingOf(c, defaultScaling, decoder_->latentChannels, vae)), compute_(compute) {}

  // The latents are unscaled in the compute type, as the pipelines do.
  at::Tensor decode(const at::Tensor& latents) const override {
    if (latents.dim() != 4 || latents.size(1) != decoder_->latentChannels)
      throw ModelError(fmt::format("the autoencoder takes latents with {} channels, not {}", decoder_->latentChannels, latents.dim() == 4 ? latents.size(1) : 0));
    return decoder_->decode(scaling_.undone(latents.to(compute_)));
  }
  int scaleFactor() const override { return decoder_->scaleFactor; }
  std::int64_t bytes() const override { return totalBytes(decoder_->ledger); }
  std::vector<LayerInfo> layers() const override { return decoder_->ledger; }

 private:
  std::unique_ptr<Decoder> decoder_;
  Scaling scaling_;
  at::ScalarType compute_;
};

}  // namespace

std::unique_ptr<Autoencoder> loadVae(const std::filesystem::path& folder, const LoadOptions& options, const VaeOptions& vae) {
  const Config config(folder / "config.json");
  const auto name = config.get<std::string>("_class_name", "");
  if (name == "AutoencoderKL") return std::make_unique<ScaledAutoencoder>(loadKlDecoder(folder, config, options), config, 0.18215, options.compute, vae);
  if (name == "AutoencoderTiny") return std::make_unique<ScaledAutoencoder>(loadTinyDecoder(folder, config, options), config, 1.0, options.compute, vae);
  config.fail("_class_name", "is not supported; AutoencoderKL and AutoencoderTiny are");
}

}  // namespace quantspot::model
