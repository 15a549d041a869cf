#include "engine/model/sd3/sd3.h"

#include "engine/model/config.h"

namespace quantspot::model {
namespace {

class StableDiffusion3 final : public Family {
 public:
  const FamilyInfo& info() const override {
    static const FamilyInfo facts = {
        .id = "sd3", .label = "Stable Diffusion 3", .pipelines = {"StableDiffusion3Pipeline"},
        .weighted = {"text_encoder", "text_encoder_2", "text_encoder_3", "transformer", "vae"},
        .plain = {{"scheduler", "scheduler_config.json"}, {"tokenizer", "vocab.json"}, {"tokenizer_2", "vocab.json"},
            {"tokenizer_3", "spiece.model"}},
        .optional = {"text_encoder_3", "tokenizer_3"}, .denoiser = "transformer", .flow = true, .guidance = Guidance::Classifier,
        .defaultGuidance = 7.0, .defaultSteps = 28, .latentMultiple = 2,
        .imageToImage = true, .defaultStrength = 0.6, .skipsFractions = true, .clipSkip = true, .maxSequenceLength = 256, .sequenceLimit = 512};
    return facts;
  }
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadSd3TextEncoders(folder, options);
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadSd3Transformer(folder / "transformer", options);
  }
  ImageTokens imageTokens(std::int64_t height, std::int64_t width, const std::filesystem::path& folder) const override {
    const std::int64_t patch = Config(folder / "transformer" / "config.json").positive("patch_size", 2);
    return {(height / patch) * (width / patch), false};
  }
};

}  // namespace

std::unique_ptr<Family> makeStableDiffusion3() { return std::make_unique<StableDiffusion3>(); }

}  // namespace quantspot::model
