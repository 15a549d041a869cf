#include "engine/model/autoencoder.h"

#include "engine/model/decoder.h"
#include "engine/model/parameters.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

class ScaledAutoencoder final : public Autoencoder {
 public:
  ScaledAutoencoder(std::unique_ptr<Decoder> decoder, const Config& c, double defaultScaling, at::ScalarType compute)
      : decoder_(std::move(decoder)), scaling_(c.get("scaling_factor", defaultScaling)), shift_(c.get("shift_factor", 0.0)), compute_(compute) {
    if (scaling_ == 0) c.fail("scaling_factor", "must not be 0");
  }

  // The latents are unscaled in their own type, as FluxPipeline does.
  at::Tensor decode(const at::Tensor& latents) const override {
    if (latents.dim() != 4 || latents.size(1) != decoder_->latentChannels)
      throw ModelError(fmt::format("the autoencoder takes latents with {} channels, not {}", decoder_->latentChannels, latents.dim() == 4 ? latents.size(1) : 0));
    return decoder_->decode((latents / scaling_ + shift_).to(compute_));
  }
  int scaleFactor() const override { return decoder_->scaleFactor; }
  std::int64_t bytes() const override { return totalBytes(decoder_->ledger); }
  std::vector<LayerInfo> layers() const override { return decoder_->ledger; }

 private:
  std::unique_ptr<Decoder> decoder_;
  double scaling_, shift_;
  at::ScalarType compute_;
};

}  // namespace

std::unique_ptr<Autoencoder> loadVae(const std::filesystem::path& vae, const LoadOptions& options) {
  const Config config(vae / "config.json");
  const auto name = config.get<std::string>("_class_name", "");
  if (name == "AutoencoderKL") return std::make_unique<ScaledAutoencoder>(loadKlDecoder(vae, config, options), config, 0.18215, options.compute);
  if (name == "AutoencoderTiny") return std::make_unique<ScaledAutoencoder>(loadTinyDecoder(vae, config, options), config, 1.0, options.compute);
  config.fail("_class_name", "is not supported; AutoencoderKL and AutoencoderTiny are");
}

}  // namespace quantspot::model
