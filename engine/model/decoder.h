// The decoder halves of the autoencoders (diffusers 0.42.1, models/autoencoders).
#pragma once

#include "engine/model/config.h"
#include "engine/model/components.h"

#include <memory>

namespace quantspot::model {

// Decoders take unscaled latents: loadAutoencoder() undoes scaling_factor and shift_factor for all of them.
struct Decoder {
  virtual ~Decoder() = default;
  virtual at::Tensor decode(const at::Tensor& latents) const = 0;  // (B, C, h, w) → (B, 3, H, W) in −1…1
  std::int64_t latentChannels = 0;
  int scaleFactor = 1;
  std::vector<LayerInfo> ledger;
};

std::unique_ptr<Decoder> loadKlDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options);
std::unique_ptr<Decoder> loadTinyDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options);

}  // namespace quantspot::model
