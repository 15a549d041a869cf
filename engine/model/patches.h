// Latents as tokens of patches with positions, and back (diffusers 0.42.1, PatchEmbed), and the plain feed-forward of such transformers.
#pragma once

#include "engine/model/parameters.h"

namespace quantspot::model {

// Sines and cosines of column, then row: (rows · columns, width) float32. A grid of base × base at scale 1 has whole positions; others are
// stretched to its extent. Computed in float64.
at::Tensor sincosPositions(std::int64_t width, std::int64_t rows, std::int64_t columns, std::int64_t base, double scale = 1);

struct PatchShape {
  std::int64_t channels = 4, width = 0, patch = 2;
  std::int64_t sample = 32;    // latents' side that the model was trained at
  double scale = 1;            // interpolation_scale
  std::int64_t largest = 0;    // pos_embed_max_size: positions are read from the file and cropped; 0: computed
};

class Patches {
 public:
  Patches(Parameters& parameters, const std::string& name, const PatchShape& shape);
  // (B, C, h, w) → (B, h/p · w/p, D). Throws ModelError for sizes that have no whole patches or no positions.
  at::Tensor tokens(const at::Tensor& latents) const;
  // (B, h/p · w/p, p·p·C) → (B, C, h, w)
  at::Tensor joined(const at::Tensor& tokens, std::int64_t height, std::int64_t width) const;

 private:
  at::Tensor positions(std::int64_t rows, std::int64_t columns) const;

  PatchShape shape_;
  Conv projection_;
  at::Tensor table_;           // (1, largest², D), where it is of the file
};

// "<name>net.0.proj", GELU, "<name>net.2", widened four times.
class FeedForward {
 public:
  static constexpr std::size_t kLinears = 2;
  // activation: diffusers' activation_fn, "gelu-approximate" or "gelu"; nullptr otherwise.
  static Activation activation(const std::string& name);
  FeedForward(Parameters& parameters, const std::string& name, std::int64_t width, Activation activation);
  at::Tensor operator()(const at::Tensor& x) const { return down_(activation_(up_(x))); }

 private:
  Linear up_, down_;
  Activation activation_;
};

}  // namespace quantspot::model
