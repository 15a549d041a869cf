#include "engine/model/sd/sd.h"

#include "engine/model/sd/clip_encoders.h"
#include "engine/model/unet/unet.h"

namespace quantspot::model {
namespace {

class StableDiffusion final : public Family {
 public:
  const FamilyInfo& info() const override {
    static const FamilyInfo facts = {
        .id = "sd", .label = "Stable Diffusion", .pipelines = {"StableDiffusionPipeline"},
        .weighted = {"text_encoder", "unet", "vae"},
        .plain = {{"scheduler", "scheduler_config.json"}, {"tokenizer", "vocab.json"}},
        .denoiser = "unet", .flow = false, .guidance = Guidance::Classifier, .defaultGuidance = 7.5, .defaultSteps = 50,
        .imageToImage = true, .promptWeights = true, .clipSkip = true, .guidanceRescale = true};
    return facts;
  }
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadClipEncoders(folder, options, {.parts = {{"tokenizer", "text_encoder", false}}});
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder,
                                         const LoadOptions& options) const override { return loadUnet(folder / "unet", options); }
};

}  // namespace

std::unique_ptr<Family> makeStableDiffusion() { return std::make_unique<StableDiffusion>(); }

}  // namespace quantspot::model
