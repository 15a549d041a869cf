// Rotary position embedding over several axes, as FLUX has it (diffusers 0.42.1, models/embeddings.py).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace quantspot::model {

struct Rotary {
  at::Tensor cos, sin;  // (S, head width), float32, each angle twice

  // ids (S, axes) of any dtype; axesDims: width of each axis, together the head width. Angles are computed in float64.
  static Rotary fromIds(const at::Tensor& ids, const std::vector<std::int64_t>& axesDims);
  at::Tensor apply(const at::Tensor& x) const;  // (B, S, H, D) → the same shape and dtype; computed in float32
};

}  // namespace quantspot::model
