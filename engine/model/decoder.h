// The halves of the autoencoders (diffusers 0.42.1, models/autoencoders).
#pragma once

#include "engine/model/config.h"
#include "engine/model/components.h"

#include <memory>

namespace quantspot::model {

// Decoders take unscaled latents: loadVae() undoes scaling_factor and shift_factor for all of them.
struct Decoder {
  virtual ~Decoder() = default;
  virtual at::Tensor decode(const at::Tensor& latents) const = 0;  // (B, C, h, w) → (B, 3, H, W) in −1…1
  std::int64_t latentChannels = 0;
  int scaleFactor = 1;
  std::int64_t tileSize = 0;             // pixels of a side when it works in tiles; 0: it cannot
  std::vector<LayerInfo> ledger;
};

struct Encoder {
  virtual ~Encoder() = default;
  // (B, 3, H, W) in −1…1 → (B, 2·C, h, w): means, then logarithms of variances; (B, C, h, w) when it says the latents themselves.
  virtual at::Tensor encode(const at::Tensor& image) const = 0;
  std::int64_t latentChannels = 0;
  bool draws = true;                     // latents are a draw from what it says
  std::vector<LayerInfo> ledger;
};

std::unique_ptr<Decoder> loadKlDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options);
std::unique_ptr<Encoder> loadKlEncoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options);
std::unique_ptr<Encoder> loadTinyEncoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options);
std::unique_ptr<Decoder> loadTinyDecoder(const std::filesystem::path& folder, const Config& config, const LoadOptions& options);

// As AutoencoderKL.tiled_decode: tiles of tileSize pixels that overlap by a quarter and fade into each other there. What a tile does not
// see changes it a little; memory is that of one tile.
at::Tensor decodeInTiles(const Decoder& decoder, const at::Tensor& latents);

}  // namespace quantspot::model
