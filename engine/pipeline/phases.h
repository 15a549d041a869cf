// The phases of one sample, each freeing what the next does not need: text encoders, transformer, autoencoder.
#pragma once

#include "engine/model/components.h"
#include "engine/pipeline/denoise.h"
#include "engine/pipeline/report.h"
#include "engine/pipeline/sampler.h"

namespace quantspot::pipeline {

struct Encoded {
  Conditioning conditioning;
  nlohmann::json weights;                // census of the text encoders, which are gone
  std::vector<std::vector<std::string>> truncated;   // of each picture: lines for the user
};

// `recipe` and `more`: those of all pictures.
std::vector<protocol::Recipe> allRecipes(const SampleRequest& request);
// Of text encoders, autoencoder and activations: they are the same for all variants of a kind, only the transformer is packed.
at::ScalarType computeType(const quant::Policy& policy);

// Called in the order of its methods, each once; encode() may be left out when its result is known. All throw what
// Sampler::generate does. The request must outlive it.
class Phases {
 public:
  explicit Phases(const SampleRequest& request);   // its recipes are complete; the size must suit the autoencoder

  Encoded encode();
  // noiseFor(channels) gives (B, channels, latentHeight(), latentWidth()) float32. Returns final latents, packed.
  at::Tensor denoise(const Conditioning& conditioning, const std::function<at::Tensor(std::int64_t channels)>& noiseFor);
  std::vector<RgbImage> decode(const at::Tensor& packed);

  std::int64_t latentHeight() const { return recipe_.height / pixels_; }
  std::int64_t latentWidth() const { return recipe_.width / pixels_; }
  bool guided() const { return guided_; }          // the transformer embeds a guidance
  const nlohmann::json& weights() const { return weights_; }
  const nlohmann::json& peaks() const { return meter_.peaks(); }
  nlohmann::json adapters() const { return adapters_.report(); }
  nlohmann::json seconds() const;                  // of the report, without "total"

 private:
  void tell(const char* stage, int step, int steps) const;
  model::LoadOptions loadOptions(const char* stage) const;
  std::unique_ptr<model::Transformer> loadTransformer();

  const SampleRequest& request_;
  const protocol::Recipe& recipe_;                 // what all pictures share
  Adapters adapters_;
  const at::Device device_;
  const at::ScalarType compute_;
  const std::int64_t pixels_;                      // per latent
  bool guided_ = false;
  nlohmann::json weights_ = nlohmann::json::object(), stepSeconds_ = nlohmann::json::array();
  Meter meter_;
};

}  // namespace quantspot::pipeline
