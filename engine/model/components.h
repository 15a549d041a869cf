// The parts of a FLUX pipeline, each loaded from its folder. All tensors live on `LoadOptions::device`.
#pragma once

#include "engine/model/layers.h"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

struct LoadOptions {
  at::ScalarType compute = at::kFloat;             // of activations and of unpacked parameters
  at::Device device = at::kCPU;                    // at::kMeta: shapes are checked, nothing is read; give a factory that needs no values
  LinearFactory linear;                            // empty: plain Linear layers in the compute type
  ConvolutionFactory convolution;                  // empty: plain convolutions
  // Whether a layer that a GGUF file stores at one precision stays so; `main` is the precision of most of the file. Empty: never.
  std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keeps;
  LinearDecoration decorate;                       // of every Linear layer; empty: none
  std::function<void(std::size_t done, std::size_t total)> onLayer;  // may throw Cancelled
};

// CLIP and T5 together: prompt → conditioning.
struct PromptEmbedding {
  at::Tensor sequence;                             // (B, L, D) of T5
  at::Tensor pooled;                               // (B, P) of CLIP
  std::vector<std::string> truncated;              // one line per encoder that had to cut the prompt; empty: nothing was cut
};

class TextEncoders {
 public:
  virtual ~TextEncoders() = default;
  virtual PromptEmbedding encode(const std::vector<std::string>& prompts, int maxSequenceLength) const = 0;
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

struct TransformerInput {
  at::Tensor latents;                              // (B, S, C), packed 2×2
  at::Tensor sequence, pooled;                     // of PromptEmbedding
  at::Tensor timestep;                             // (B), sigma in 0…1
  at::Tensor guidance;                             // (B) or undefined
  at::Tensor textIds, imageIds;                    // (L, 3), (S, 3)
};

class Transformer {
 public:
  virtual ~Transformer() = default;
  virtual at::Tensor forward(const TransformerInput& input) const = 0;  // velocity (B, S, C)
  virtual bool guidanceEmbeds() const = 0;
  virtual std::int64_t inChannels() const = 0;     // packed channels, C
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

class Autoencoder {
 public:
  virtual ~Autoencoder() = default;
  virtual at::Tensor decode(const at::Tensor& latents) const = 0;  // (B, C, h, w), scaled → (B, 3, H, W) in −1…1
  virtual int scaleFactor() const = 0;             // H / h
  virtual std::int64_t bytes() const = 0;
  virtual std::vector<LayerInfo> layers() const = 0;
};

// `folder` is the pipeline's folder (it holds model_index.json). Each throws ModelError with file and tensor name.
std::unique_ptr<TextEncoders> loadTextEncoders(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Transformer> loadTransformer(const std::filesystem::path& folder, const LoadOptions& options);
std::unique_ptr<Autoencoder> loadAutoencoder(const std::filesystem::path& folder, const LoadOptions& options);

}  // namespace quantspot::model
