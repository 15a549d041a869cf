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
        .guidance = Guidance::Classifier, .defaultGuidance = 4.5, .defaultSteps = 20, .latentMultiple = 2, .sizeBins = true, .maxSequenceLength = 300};
    return facts;
  }
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadPixArtTextEncoder(folder, options);
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadPixArtTransformer(folder / "transformer", options);
  }
  std::array<int, 2> sizeBin(int width, int height, const std::filesystem::path& folder) const override {
    const Config config(folder / "transformer" / "config.json");
    const std::int64_t size = config.positive("sample_size", 128);
    try {
      return pixArtBin(width, height, size);
    } catch (const std::out_of_range&) {
      config.fail("sample_size", "has no list of sizes for bin_size; those of 32, 64, 128 and 256 have");
    }
  }
};

}  // namespace

std::unique_ptr<Family> makePixArt() { return std::make_unique<PixArt>(); }

}  // namespace quantspot::model
