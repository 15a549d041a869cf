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
  // A block holds at once: tokens, their normalized form, q, k, v, the feed-forward's 4 widths before and after its activation; the text apart.
  std::int64_t activationBytes(const std::filesystem::path& folder, std::int64_t batch, std::int64_t height, std::int64_t width,
                               std::int64_t textTokens) const override {
    const Config config(folder / "transformer" / "config.json");
    const std::int64_t patch = config.positive("patch_size", 2);
    const std::int64_t channels = config.positive("num_attention_heads", 16) * config.positive("attention_head_dim", 72);
    return batch * ((height / patch) * (width / patch) * 16 + textTokens * 4) * channels * 4;
  }
};

}  // namespace

std::unique_ptr<Family> makePixArt() { return std::make_unique<PixArt>(); }

}  // namespace quantspot::model
