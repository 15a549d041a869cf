// Transformer blocks in which text and image keep their own weights and meet in one attention: FLUX's double blocks and those of Stable
// Diffusion 3 (diffusers 0.42.1, FluxTransformerBlock and JointTransformerBlock).
#pragma once

#include "engine/model/parameters.h"
#include "engine/model/rotary.h"

#include <optional>

namespace quantspot::model {

struct BlockShape {
  std::int64_t heads = 0, headWidth = 0;
  std::int64_t width() const { return heads * headWidth; }
};

// What a block reads and changes: text and image tokens (B, L, D), (B, S, D).
struct Tokens {
  at::Tensor text, image;
};

struct JointOptions {
  bool normedHeads = true;     // RMS norms of queries and keys
  bool lastOfText = false;     // the text is only attended to: nothing of it leaves the block
  bool dual = false;           // a second attention of the image alone
};

struct HeadsOptions {
  const Rotary* rotary = nullptr;
  std::optional<at::ScalarType> softmax = {};   // as in AttentionOptions
};
// q, k, v (B, S, H, D) → (B, S, H·D).
at::Tensor attendHeads(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const HeadsOptions& options);
// (B, S, D), shift and scale (B, D): the layer norm without weights, times 1 + scale, plus shift.
at::Tensor modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

class JointBlock {
 public:
  static std::size_t linears(const JointOptions& options = {});
  // `name` ends with a dot.
  JointBlock(Parameters& parameters, const std::string& name, const BlockShape& shape, const JointOptions& options = {});
  // conditioning (B, D); rotary over text and image, in this order; null for none. With lastOfText the text comes back undefined.
  Tokens forward(const Tokens& tokens, const at::Tensor& conditioning, const Rotary* rotary = nullptr) const;

 private:
  struct Projection {          // of one stream into one attention
    Linear q, k, v;
    std::optional<RmsNorm> normQ, normK;
  };
  struct Stream {
    Linear modulation, out, up, down;
    Projection in;
  };
  struct Heads {
    at::Tensor q, k, v;        // (B, S, H, D)
  };
  struct Names;
  Projection loadProjection(Parameters& parameters, const std::string& name, const Names& names) const;
  Stream load(Parameters& parameters, const std::string& name, const Names& names, std::int64_t modulations, bool whole) const;
  Heads project(const Projection& projection, const at::Tensor& x) const;
  at::Tensor feedForward(const Stream& stream, const at::Tensor& x, const std::vector<at::Tensor>& modulation) const;

  BlockShape shape_;
  JointOptions options_;
  std::optional<at::ScalarType> softmax_;
  Stream image_, text_;
  Projection second_;          // of the image, where the block is dual
  Linear secondOut_;
};

}  // namespace quantspot::model
