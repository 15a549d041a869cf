// Families of models: what a diffusers pipeline of each consists of and how it is asked. One folder engine/model/<id>/ each.
#pragma once

#include "engine/model/components.h"
#include "engine/model/schedulers/scheduler.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace quantspot::model {

// How a prompt is followed more closely than the model does by itself.
enum class Guidance {
  Embedded,        // the denoiser reads the scale; beside it true CFG as two passes, when asked for
  Classifier,      // classifier-free: one pass over both conditions, negative first, where the scale is above 1
};

// The facts; parts and files are named as in the diffusers folder.
struct FamilyInfo {
  std::string_view id, label;                                              // "flux": stored in reports, never rename; "FLUX"
  std::vector<std::string_view> pipelines;                                 // _class_name in model_index.json
  std::vector<std::string_view> weighted;                                  // parts with config.json and weights
  std::vector<std::pair<std::string_view, std::string_view>> plain;        // other parts, and a file that each has (tokenizers: or tokenizer.json)
  std::vector<std::string_view> optional = {};                             // parts that model_index.json may leave out
  std::string_view denoiser = "transformer";                               // which of the weighted ones
  bool flow = false;                                                       // it predicts velocities of a flow: which schedulers fit
  Guidance guidance = Guidance::Classifier;
  // The scheduler moves what the model sees, both passes of it: noise is drawn for both, a scaled input stays scaled, the first is not multiplied.
  bool stepsInput = false;
  double defaultGuidance = 7.5;                                            // diffusers' own defaults
  int defaultSteps = 50;
  int latentMultiple = 1;                                                  // latents are a multiple of it, high and wide
  bool imageToImage = false;                                               // it may start from a picture
  double defaultStrength = 0.8;                                            // then; as in diffusers' pipelines
  bool skipsFractions = false;   // image to image leaves out steps · (1 − strength) steps, rounded down; else it keeps steps · strength, rounded down
  bool sizeBins = false;                                                   // sizeBin() knows sizes that the model was trained on
  bool promptWeights = false;                                              // EncodeOptions::weighted does something
  bool clipSkip = false;                                                   // EncodeOptions::clipSkip does something
  bool guidanceRescale = false;                                            // diffusers' pipeline knows guidance_rescale
  bool pictureShape = false;                                               // what PictureShape says reaches the denoiser
  int maxSequenceLength = 0;                                               // default, and limit unless that is given; 0: the encoders have a fixed length
  int sequenceLimit = 0;
};

// What the picture's shape says to some denoisers, in pixels. A picture may be said to be a part of another (SDXL).
struct PictureShape {
  int width = 0, height = 0;
  std::optional<std::array<int, 2>> original = {}, target = {};            // (width, height); absent: the picture's own
  std::array<int, 2> crop = {0, 0};                                        // (left, top)
};

class Family {
 public:
  virtual ~Family() = default;
  virtual const FamilyInfo& info() const = 0;

  virtual std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options) const = 0;
  virtual std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options) const = 0;
  virtual std::unique_ptr<Autoencoder> loadAutoencoder(const std::filesystem::path& folder, const LoadOptions& options) const;  // here: "vae"

  virtual std::unique_ptr<ImageEncoder> loadImageEncoder(const std::filesystem::path& folder, const LoadOptions& options) const;     // here: of "vae"

  // Adds to the condition of B pictures what the denoiser needs to know of their shape; here: nothing.
  virtual void addShape(Condition& /*condition*/, const PictureShape& /*shape*/, const std::filesystem::path& /*folder*/) const {}
  // (width, height) in pixels that the model was trained on, nearest in shape to the ones asked for (FamilyInfo::sizeBins). Throws ModelError for a
  // model without such a list.
  virtual std::array<int, 2> sizeBin(int width, int height, const std::filesystem::path& /*folder*/) const { return {width, height}; }
  // Latents as files of this family hold them (--latents-out), and back; here: (B, C, h, w), as they are.
  virtual at::Tensor packed(const at::Tensor& latents) const { return latents; }
  virtual at::Tensor unpacked(const at::Tensor& given, std::int64_t /*height*/, std::int64_t /*width*/) const { return given; }
  // Of latents h × w; here: unknown.
  virtual ImageTokens imageTokens(std::int64_t /*height*/, std::int64_t /*width*/, const std::filesystem::path& /*folder*/) const { return {}; }
};

// Every family that this build knows, in display order. A new one is added to this list.
const std::vector<std::unique_ptr<Family>>& families();
// The family of a pipeline's folder. Throws ModelError: no model_index.json, a pipeline that none of them runs.
const Family& familyOf(const std::filesystem::path& folder);

}  // namespace quantspot::model
