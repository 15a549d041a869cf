#include "engine/model/sdxl/sdxl.h"

#include "engine/model/autoencoder.h"
#include "engine/model/config.h"
#include "engine/model/sd/clip_encoders.h"
#include "engine/model/unet/unet.h"

#include <ATen/ATen.h>

namespace quantspot::model {
namespace {

class Sdxl final : public Family {
 public:
  const FamilyInfo& info() const override {
    static const FamilyInfo facts = {
        .id = "sdxl", .label = "Stable Diffusion XL", .pipelines = {"StableDiffusionXLPipeline"},
        .weighted = {"text_encoder", "text_encoder_2", "unet", "vae"},
        .plain = {{"scheduler", "scheduler_config.json"}, {"tokenizer", "vocab.json"}, {"tokenizer_2", "vocab.json"}},
        .denoiser = "unet", .flow = false, .guidance = Guidance::Classifier, .defaultGuidance = 5.0, .defaultSteps = 50,
        .imageToImage = true, .defaultStrength = 0.3, .promptWeights = true, .clipSkip = true, .guidanceRescale = true,
        .pictureShape = true};
    return facts;
  }
  // Of both encoders, the layer before the last, without the final norm.
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    const bool zeros = Config(folder / "model_index.json").get("force_zeros_for_empty_prompt", true);
    return loadClipEncoders(folder, options, {.parts = {{"tokenizer", "text_encoder", false}, {"tokenizer_2", "text_encoder_2", true}},
                                              .skipped = 1, .normed = false, .zeroNegative = zeros});
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder,
                                         const LoadOptions& options) const override { return loadUnet(folder / "unet", options); }

  // SDXL's own autoencoder leaves the range of float16: it is computed in float32 then, as diffusers does where force_upcast says so.
  std::unique_ptr<Autoencoder> loadAutoencoder(const std::filesystem::path& folder, const LoadOptions& options) const override {
    LoadOptions safe = options;
    if (options.compute == at::kHalf && forcesUpcast(folder)) safe.compute = at::kFloat;
    return loadVae(folder / "vae", safe, {.perChannel = true});
  }
  // Its encoder is computed in float32 whatever the compute type.
  std::unique_ptr<ImageEncoder> loadImageEncoder(const std::filesystem::path& folder, const LoadOptions& options) const override {
    LoadOptions safe = options;
    if (forcesUpcast(folder)) safe.compute = at::kFloat;
    return loadVaeEncoder(folder / "vae", safe, {.perChannel = true});
  }

  // Sizes in diffusers' order: height first, top before left.
  void addShape(Condition& condition, const PictureShape& shape, const std::filesystem::path&) const override {
    const std::array<int, 2> own = {shape.width, shape.height}, original = shape.original.value_or(own), target = shape.target.value_or(own);
    const at::Tensor& sequence = conditionOf(condition, "sequence");
    const at::Tensor ids = at::tensor({original[1], original[0], shape.crop[1], shape.crop[0], target[1], target[0]}, at::kFloat);
    condition["time_ids"] = ids.to(sequence.options()).repeat({sequence.size(0), 1});
  }

 private:
  static bool forcesUpcast(const std::filesystem::path& folder) { return Config(folder / "vae" / "config.json").get("force_upcast", true); }
};

}  // namespace

std::unique_ptr<Family> makeSdxl() { return std::make_unique<Sdxl>(); }

}  // namespace quantspot::model
