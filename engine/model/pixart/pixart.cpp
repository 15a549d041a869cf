#include "engine/model/pixart/pixart.h"

#include "engine/model/config.h"

namespace quantspot::model {
namespace {

class PixArt final : public Family {
 public:
  const FamilyInfo& info() const override {
    static const FamilyInfo facts = {
        .id = "pixart", .label = "PixArt-Σ", .pipelines = {"PixArtSigmaPipeline"}, .weighted = {"text_encoder", "transformer", "vae"},
        .plain = {{"scheduler", "scheduler_config.json"}, {"tokenizer", "spiece.model"}}, .denoiser = "transformer", .flow = false,
        .guidance = Guidance::Classifier, .defaultGuidance = 4.5, .defaultSteps = 20, .latentMultiple = 2, .maxSequenceLength = 300};
    return facts;
  }
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadPixArtTextEncoder(folder, options);
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadPixArtTransformer(folder / "transformer", options);
  }
};

}  // namespace

std::unique_ptr<Family> makePixArt() { return std::make_unique<PixArt>(); }

}  // namespace quantspot::model
