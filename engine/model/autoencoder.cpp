#include "engine/model/autoencoder.h"

#include "engine/model/decoder.h"
#include "engine/model/parameters.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

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
  at::Tensor done(const at::Tensor& latents) const {
    if (!mean.defined()) return scaling * (latents - shift);
    return (latents - mean.to(latents.options())) * scaling / deviation.to(latents.options());
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
  at::Tensor decode(const at::Tensor& latents, const DecodeOptions& options) const override {
    if (latents.dim() != 4 || latents.size(1) != decoder_->latentChannels)
      throw ModelError(fmt::format("the autoencoder takes latents with {} channels, not {}", decoder_->latentChannels, latents.dim() == 4 ? latents.size(1) : 0));
    if (options.tiled && decoder_->tileSize == 0) throw ModelError("this autoencoder does not work in tiles; AutoencoderKL does");
    const at::Tensor unscaled = scaling_.undone(latents.to(compute_));
    if (!options.sliced || unscaled.size(0) == 1) return decodeOne(unscaled, options.tiled);
    std::vector<at::Tensor> pictures;
    for (const at::Tensor& picture : unscaled.split(1)) pictures.push_back(decodeOne(picture, options.tiled));
    return at::cat(pictures);
  }
  int scaleFactor() const override { return decoder_->scaleFactor; }
  std::int64_t bytes() const override { return totalBytes(decoder_->ledger); }
  std::vector<LayerInfo> layers() const override { return decoder_->ledger; }

 private:
  // A picture no larger than a tile needs none.
  at::Tensor decodeOne(const at::Tensor& latents, bool tiled) const {
    const std::int64_t tile = decoder_->tileSize / decoder_->scaleFactor;
    return tiled && std::max(latents.size(2), latents.size(3)) > tile ? decodeInTiles(*decoder_, latents) : decoder_->decode(latents);
  }

  std::unique_ptr<Decoder> decoder_;
  Scaling scaling_;
  at::ScalarType compute_;
};

class ScaledEncoder final : public ImageEncoder {
 public:
  ScaledEncoder(std::unique_ptr<Encoder> encoder, const Config& c, double defaultScaling, const LoadOptions& options, const VaeOptions& vae)
      : encoder_(std::move(encoder)), scaling_(scalingOf(c, defaultScaling, encoder_->latentChannels, vae)), compute_(options.compute) {}

  at::Tensor encode(const at::Tensor& image, const std::function<at::Tensor(at::IntArrayRef shape)>& noise) const override {
    const at::Tensor encoded = encoder_->encode(image.to(compute_));
    if (!encoder_->draws) return scaling_.done(encoded);
    const auto moments = encoded.chunk(2, 1);
    const auto deviation = at::exp(0.5 * moments[1].clamp(-30.0, 20.0));
    return scaling_.done(moments[0] + deviation * noise(moments[0].sizes()).to(moments[0].options()));
  }
  std::int64_t bytes() const override { return totalBytes(encoder_->ledger); }
  std::vector<LayerInfo> layers() const override { return encoder_->ledger; }

 private:
  std::unique_ptr<Encoder> encoder_;
  Scaling scaling_;
  at::ScalarType compute_;
};

}  // namespace

std::unique_ptr<ImageEncoder> loadVaeEncoder(const std::filesystem::path& folder, const LoadOptions& options, const VaeOptions& vae) {
  const Config config(folder / "config.json");
  const auto name = config.get<std::string>("_class_name", "");
  if (name == "AutoencoderKL") return std::make_unique<ScaledEncoder>(loadKlEncoder(folder, config, options), config, 0.18215, options, vae);
  if (name == "AutoencoderTiny") return std::make_unique<ScaledEncoder>(loadTinyEncoder(folder, config, options), config, 1.0, options, vae);
  config.fail("_class_name", "cannot encode pictures; AutoencoderKL and AutoencoderTiny can");
}

bool encodingDraws(const std::filesystem::path& folder) { return Config(folder / "config.json").get<std::string>("_class_name", "") != "AutoencoderTiny"; }

std::unique_ptr<Autoencoder> loadVae(const std::filesystem::path& folder, const LoadOptions& options, const VaeOptions& vae) {
  const Config config(folder / "config.json");
  const auto name = config.get<std::string>("_class_name", "");
  if (name == "AutoencoderKL")
    return std::make_unique<ScaledAutoencoder>(loadKlDecoder(folder, config, options), config, 0.18215, options.compute, vae);
  if (name == "AutoencoderTiny")
    return std::make_unique<ScaledAutoencoder>(loadTinyDecoder(folder, config, options), config, 1.0, options.compute, vae);
  config.fail("_class_name", "is not supported; AutoencoderKL and AutoencoderTiny are");
}

}  // namespace quantspot::model
