#include "engine/model/dit/dit.h"

#include "engine/model/config.h"

namespace quantspot::model {
namespace {

class Dit final : public Family {
 public:
  // DiTPipeline starts Euler's schedulers without their sigma, and steps from what it has scaled for the model.
  const FamilyInfo& info() const override {
    static const FamilyInfo facts = {
        .id = "dit", .label = "DiT", .pipelines = {"DiTPipeline"}, .weighted = {"transformer", "vae"},
        .plain = {{"scheduler", "scheduler_config.json"}},
        .denoiser = "transformer", .flow = false, .guidance = Guidance::Classifier,
        .stepsInput = true, .defaultGuidance = 4.0, .defaultSteps = 50};
    return facts;
  }
  std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadClassLabels(folder, options);
  }
  std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) const override {
    return loadDitTransformer(folder / "transformer", options);
  }
};

}  // namespace

std::unique_ptr<Family> makeDit() { return std::make_unique<Dit>(); }

}  // namespace quantspot::model
