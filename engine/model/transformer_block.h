// BasicTransformerBlock of diffusers 0.42.1 with plain layer norms, and Transformer2DModel over the pixels of a map (models/attention.py,
// models/transformers/transformer_2d.py).
#pragma once

#include "engine/model/parameters.h"

#include <optional>
#include <string>
#include <vector>

namespace quantspot::model {

// Queries of x, keys and values of the context; q, k and v with biases where asked.
class CrossAttention {
 public:
  static constexpr std::size_t kLinears = 4;
  CrossAttention(Parameters& parameters, const std::string& name, std::int64_t width, std::int64_t contextWidth, std::int64_t heads,
                 bool bias = false);
  // (B, S, D), (B, L, E) → (B, S, D); mask: added to the scores, (B, 1, 1, L), or undefined
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context, const at::Tensor& mask = {}) const;

 private:
  std::int64_t heads_;
  std::optional<at::ScalarType> softmax_;
  Linear q_, k_, v_, out_;
};

// GEGLU: half of the widened tokens is gated by GELU of the other half.
class GatedFeedForward {
 public:
  static constexpr std::size_t kLinears = 2;
  GatedFeedForward(Parameters& parameters, const std::string& name, std::int64_t width);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Linear up_, down_;
};

struct SpatialTransformerShape {
  std::int64_t channels = 0, heads = 0, contextWidth = 0, layers = 1, groups = 32;
  bool linearProjection = false;         // into and out of the blocks; else 1 × 1 convolutions
};

class SpatialTransformer {
 public:
  static std::size_t linears(const SpatialTransformerShape& shape);
  SpatialTransformer(Parameters& parameters, const std::string& name, const SpatialTransformerShape& shape);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;  // (B, C, H, W), (B, L, E) → (B, C, H, W)

 private:
  struct Block {
    LayerNorm norm1, norm2, norm3;
    CrossAttention self, cross;
    GatedFeedForward feedForward;
    at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;
  };
  SpatialTransformerShape shape_;
  GroupNorm norm_;
  std::optional<Linear> linearIn_, linearOut_;
  std::optional<Conv> convIn_, convOut_;
  std::vector<Block> blocks_;
};

}  // namespace quantspot::model
