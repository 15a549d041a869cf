// The phases of one sample, each freeing what the next does not need: text encoders, denoiser, autoencoder.
#pragma once

#include "engine/pipeline/denoise.h"
#include "engine/pipeline/flops.h"
#include "engine/pipeline/latents.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/report.h"
#include "engine/pipeline/resident.h"
#include "engine/pipeline/sampler.h"
#include "quant/calibration.h"

namespace quantspot::pipeline {

struct Encoded {
  Conditioning conditioning;
  std::vector<model::Condition> calibration;        // of the request's calibration prompts
  nlohmann::json weights;                // census of the text encoders, which are gone
  std::vector<std::vector<std::string>> truncated;   // of each picture: lines for the user
};

// `recipe` and `more`: those of all pictures.
std::vector<protocol::Recipe> allRecipes(const SampleRequest& request);
std::vector<std::uint64_t> seedsOf(const SampleRequest& request);
model::EncodeOptions encodeOptions(const protocol::Recipe& recipe);
// Of text encoders, autoencoder and activations: they are the same for all variants of a kind, only the denoiser is packed.
at::ScalarType computeType(const quant::Policy& policy);

// Scales that a calibration found, for the samples that follow.
struct Calibrated {
  std::string key;                       // what they depend on
  std::vector<quant::ActivationScales> scales;   // in the order in which the layers are loaded
};

// Called in the order of its methods, each once; encode() may be left out when its result is known. All throw what
// Sampler::generate does. The request must outlive it.
class Phases {
 public:
  explicit Phases(const SampleRequest& request);   // its recipes are complete; the size must suit the autoencoder

  Encoded encode();
  // noiseFor(channels) gives (B, channels, latentHeight(), latentWidth()) float32. Returns final latents (B, channels, …).
  // `calibrated` is used when it is of this request, and else made when the request asks for it.
  at::Tensor denoise(const Encoded& encoded, const std::function<at::Tensor(std::int64_t channels)>& noiseFor, Calibrated& calibrated);
  // All steps with a denoiser of the caller's, from the noise of these seeds; nothing is measured. `onCall` after every call.
  at::Tensor draw(const model::Denoiser& denoiser, const Conditioning& conditioning, const std::vector<std::uint64_t>& seeds,
                  const std::function<void()>& onCall) const;
  std::vector<RgbImage> decode(const at::Tensor& latents);

  std::int64_t latentHeight() const { return recipe_.height / pixels_; }
  std::int64_t latentWidth() const { return recipe_.width / pixels_; }
  bool guided() const { return guided_; }          // a guidance scale took part
  const model::Family& family() const { return family_; }
  const std::string& weightsHash();                // of the model; computed once
  const nlohmann::json& weights() const { return weights_; }
  const nlohmann::json& peaks() const { return meter_.peaks(); }
  nlohmann::json fallbacks() const;                // layers that could not be held as asked
  nlohmann::json adapters() const { return adapters_.report(); }
  nlohmann::json activationScales(const Calibrated& calibrated) const;   // layer → "input", "output"; empty: nothing was calibrated
  const nlohmann::json& packedCache() const { return packedCache_; }   // part → "read" or "written"
  nlohmann::json seconds() const;                  // of the report, without "total"
  // When observed: the latents after each call, as denoise() gives them, float32 on the CPU; and what the denoiser computed.
  const std::vector<at::Tensor>& trajectory() const { return trajectory_; }
  nlohmann::json flops() const;

 private:
  void tell(const char* stage, int step, int steps) const;
  model::LoadOptions loadOptions(const char* stage) const;
  model::LinearDecoration decoration();
  // Loads one part with what the cache has of it, and keeps what it has not.
  template <class Load>
  auto loadPacked(const std::string& part, const quant::Policy& policy, model::LoadOptions options, Load&& load);
  std::shared_ptr<LayerStream> makeStream() const;   // null where layers stay
  void makeRoom() const;                           // the part that worked leaves the device where another one comes
  std::vector<quant::StepSpan> spans() const;
  void prepareResident();
  bool comesAndGoes() const { return request_.offload == Offload::Group || request_.offload == Offload::Sequential; }
  // The resident part, where there is one; else what `load` makes, which then stays.
  template <class Part, class Load>
  std::shared_ptr<Part> resident(std::shared_ptr<Part> Resident::* part, Load&& load);
  std::shared_ptr<model::Denoiser> loadDenoiser(const quant::Policy& policy);
  std::unique_ptr<model::Scheduler> makeScheduler() const;
  at::Tensor encodeImage(PictureNoise& noise);
  std::size_t firstCall(const model::Scheduler& scheduler) const;
  at::Tensor started(const model::Scheduler& scheduler, const at::Tensor& noise) const;
  DenoiseOptions denoiseOptions() const;
  std::size_t callOf(int step, std::size_t calls) const;
  Conditioning shaped(Conditioning conditioning) const;
  void calibrate(const model::Denoiser& denoiser, const Encoded& encoded, const std::string& policy, Calibrated& calibrated);

  const SampleRequest& request_;
  const model::Family& family_;
  const protocol::Recipe recipe_;                  // what all pictures share, in the size that is drawn
  Adapters adapters_;
  std::shared_ptr<LayerStream> stream_;            // of the part that was loaded last
  PackingNotes notes_;
  std::vector<quant::CalibratedLinear*> calibratedLayers_;   // of the denoiser that is loaded
  std::vector<std::string> calibratedNames_;       // theirs
  const at::Device device_;
  const at::ScalarType compute_;
  const std::int64_t pixels_;                      // per latent
  bool guided_ = false;
  std::string weightsHash_;
  nlohmann::json weights_ = nlohmann::json::object(), stepSeconds_ = nlohmann::json::array(), packedCache_ = nlohmann::json::object();
  std::vector<at::Tensor> trajectory_;
  std::shared_ptr<FlopCounter> flops_ = std::make_shared<FlopCounter>();
  Meter meter_;
};

}  // namespace quantspot::pipeline
