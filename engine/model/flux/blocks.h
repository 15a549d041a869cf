// The two kinds of FLUX transformer blocks, and rotary position embedding (diffusers 0.42.1, models/transformers/transformer_flux.py).
#pragma once

#include "engine/model/parameters.h"

namespace quantspot::model {

struct Rotary {
  at::Tensor cos, sin;  // (S, head width), float32, each angle twice

  // ids (S, axes) of any dtype; axesDims: width of each axis, together the head width. Angles are computed in float64.
  static Rotary fromIds(const at::Tensor& ids, const std::vector<std::int64_t>& axesDims);
  at::Tensor apply(const at::Tensor& x) const;  // (B, S, H, D) → the same shape and dtype; computed in float32
};

struct BlockShape {
  std::int64_t heads = 0, headWidth = 0;
  std::int64_t width() const { return heads * headWidth; }
};

// What a block reads and changes: text and image tokens (B, L, D), (B, S, D).
struct Tokens {
  at::Tensor text, image;
};

// Text and image keep their own weights and meet in one attention.
class DoubleBlock {
 public:
  static constexpr std::size_t kLinears = 14;
  DoubleBlock(Parameters& parameters, const std::string& name, const BlockShape& shape);
  Tokens forward(const Tokens& tokens, const at::Tensor& conditioning, const Rotary& rotary) const;

 private:
  struct Stream {
    Linear modulation, q, k, v, out, up, down;
    RmsNorm normQ, normK;
  };
  struct Names;
  static Stream load(Parameters& parameters, const std::string& name, const Names& names, const BlockShape& shape);
  at::Tensor feedForward(const Stream& stream, const at::Tensor& x, const std::vector<at::Tensor>& modulation) const;

  BlockShape shape_;
  Stream image_, text_;
};

// One stream over text and image together; attention and MLP run side by side.
class SingleBlock {
 public:
  static constexpr std::size_t kLinears = 6;
  SingleBlock(Parameters& parameters, const std::string& name, const BlockShape& shape);
  at::Tensor forward(const at::Tensor& x, const at::Tensor& conditioning, const Rotary& rotary) const;

 private:
  BlockShape shape_;
  Linear modulation_, q_, k_, v_, up_, out_;
  RmsNorm normQ_, normK_;
};

}  // namespace quantspot::model
