#include "engine/model/flux/flux.h"

#include "engine/model/config.h"

#include <ATen/ATen.h>

namespace quantspot::model {
namespace {

class Flux final : public Family {
 public:
  const FamilyInfo& info() const override {
    static const FamilyInfo facts = {
        .id = "flux", .label = "FLUX.1", .pipelines = {"FluxPipeline"},
        .weighted = {"text_encoder", "text_encoder_2", "transformer", "vae"},
        .plain = {{"scheduler", "scheduler_config.json"}, {"tokenizer", "vocab.json"}, {"tokenizer_2", "spiece.model"}},
        .denoiser = "transformer", .flow = true, .guidance = Guidance::Embedded, .defaultGuidance = 3.5, .defaultSteps = 28, .latentMultiple = 2,
        .imageToImage = true, .defaultStrength = 0.6, .skipsFractions = true, .maxSequenceLength = 512};
    return facts;
  }
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadFluxTextEncoders(folder, options);
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadFluxTransformer(folder, options);
  }
  at::Tensor packed(const at::Tensor& latents) const override { return packLatents(latents); }
  at::Tensor unpacked(const at::Tensor& given, std::int64_t height, std::int64_t width) const override {
    return given.dim() == 3 && given.size(1) == (height / 2) * (width / 2) && given.size(2) % 4 == 0
        ? unpackLatents(given, height, width).contiguous() : given;
  }
  ImageTokens imageTokens(std::int64_t height, std::int64_t width, const std::filesystem::path& /*folder*/) const override {
    return (height / 2) * (width / 2);
  }
};

}  // namespace

std::unique_ptr<Family> makeFlux() { return std::make_unique<Flux>(); }

at::Tensor packLatents(const at::Tensor& latents) {
  const auto b = latents.size(0), c = latents.size(1), h = latents.size(2), w = latents.size(3);
  return latents.reshape({b, c, h / 2, 2, w / 2, 2}).permute({0, 2, 4, 1, 3, 5}).reshape({b, h / 2 * (w / 2), 4 * c});
}

at::Tensor unpackLatents(const at::Tensor& packed, std::int64_t height, std::int64_t width) {
  const auto b = packed.size(0), c = packed.size(2) / 4;
  return packed.reshape({b, height / 2, width / 2, c, 2, 2}).permute({0, 3, 1, 4, 2, 5}).reshape({b, c, height, width});
}

at::Tensor imageIds(std::int64_t height, std::int64_t width, const at::TensorOptions& options) {
  const auto h = height / 2, w = width / 2;
  const at::Tensor rows = at::arange(h, at::kFloat).view({h, 1}).expand({h, w});
  const at::Tensor columns = at::arange(w, at::kFloat).view({1, w}).expand({h, w});
  return at::stack({at::zeros({h, w}), rows, columns}, 2).reshape({h * w, 3}).to(options);
}

}  // namespace quantspot::model
