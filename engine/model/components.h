// The parts of a pipeline, each loaded from its folder: what the families have in common. All tensors live on `LoadOptions::device`.
#pragma once

#include "engine/model/layers.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

struct LoadOptions {
  at::ScalarType compute = at::kFloat;             // of activations and of unpacked parameters
  at::Device device = at::kCPU;                    // at::kMeta: shapes are checked, nothing is read; give a factory that needs no values
  const Catalog* catalog = nullptr;                // on the meta device: in place of the weight files, which need not be there
  LinearFactory linear;                            // empty: plain Linear layers in the compute type
  ConvolutionFactory convolution;                  // empty: plain convolutions
  // Whether a layer that a GGUF file stores at one precision stays so; `main` is the precision of most of the file. Empty: never.
  std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keeps;
  StoredFactory stored;                            // of layers that stay as a GGUF file has them; empty: they are read at once
  LinearDecoration decorate;                       // of every Linear layer; empty: none
  std::optional<at::ScalarType> softmax = {};      // of a denoiser's attention: what its softmax reads and gives; absent: torch's own kernel
  std::function<void(std::size_t done, std::size_t total)> onLayer;  // may throw Cancelled
};

// What a denoiser is told beside latents and time, by the names that its family gives; the first axis of each is the pictures:
// "sequence" (B, L, D), "pooled" (B, P), "guidance" (B) …
using Condition = std::map<std::string, at::Tensor>;

// The entry; throws ModelError that names it when it is absent.
const at::Tensor& conditionOf(const Condition& condition, const std::string& name);
// Pictures one after the other. All have the same entries.
Condition joined(const std::vector<Condition>& conditions);

struct PromptEmbedding {
  Condition condition;
  std::vector<std::string> truncated;              // one line per encoder that had to cut the prompt; empty: nothing was cut
};

struct EncodeOptions {
  int maxSequenceLength = 512;                     // of encoders without a fixed length (T5)
  int clipSkip = 0;                                // last layers of CLIP that are left out beyond the family's own, as diffusers' clip_skip
  bool weighted = false;                           // "(word:1.2)" in a prompt weighs its tokens: prompt_weights.h
  bool operator==(const EncodeOptions&) const = default;
};

// All text encoders of a pipeline together: prompts → condition.
class TextEncoders {
 public:
  virtual ~TextEncoders() = default;
  virtual PromptEmbedding encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const = 0;
  // What guidance leads away from. No prompt is not always the empty one.
  virtual PromptEmbedding encodeNegative(const std::optional<std::string>& prompt, const EncodeOptions& options) const {
    return encode({prompt.value_or("")}, options);
  }
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

// Transformer or UNet. Packing, learned variances and the like stay inside.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  // latents (B, C, h, w) as the scheduler scaled them; timestep as the scheduler has it → what its step() takes, (B, C, h, w).
  virtual at::Tensor predict(const at::Tensor& latents, double timestep, const Condition& condition) const = 0;
  virtual bool embedsGuidance() const { return false; }   // it reads "guidance" (B) of the condition
  virtual std::int64_t latentChannels() const = 0;        // C
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

struct DecodeOptions {
  bool tiled = false;          // in tiles of the model's own size, which fade into each other; less memory, a slightly other picture
  bool sliced = false;         // picture by picture
};

class Autoencoder {
 public:
  virtual ~Autoencoder() = default;
  // (B, C, h, w), scaled → (B, 3, H, W) in −1…1. Throws ModelError for tiles of an autoencoder that has none.
  virtual at::Tensor decode(const at::Tensor& latents, const DecodeOptions& options = {}) const = 0;
  virtual int scaleFactor() const = 0;             // H / h
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

// The other half of an autoencoder, for image to image.
class ImageEncoder {
 public:
  virtual ~ImageEncoder() = default;
  // image (B, 3, H, W) in −1…1 → scaled latents (B, C, h, w): a draw from what the encoder says of each, by normal numbers from `noise`.
  virtual at::Tensor encode(const at::Tensor& image, const std::function<at::Tensor(at::IntArrayRef shape)>& noise) const = 0;
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

// By the family that model_index.json of `folder` names. Each throws ModelError with file and tensor name.
std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Denoiser> loadDenoiser(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Autoencoder> loadAutoencoder(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
