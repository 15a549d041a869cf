// Sinusoidal embeddings and the two-layer networks behind them (diffusers 0.42.1, models/embeddings.py).
#pragma once

#include "engine/model/ops.h"
#include "engine/model/parameters.h"

namespace quantspot::model {

struct SinusoidOptions {
  bool cosFirst = true;                  // diffusers' flip_sin_to_cos
  double freqShift = 0;
};
// (N) → (N, channels) in float32; an odd last channel is 0. Frequencies fall from 1 to 1/10000.
at::Tensor sinusoid(const at::Tensor& values, std::int64_t channels, const SinusoidOptions& options = {});

// Two linear layers with an activation between (TimestepEmbedding, PixArtAlphaTextProjection).
struct Embedder {
  Linear first, second;
  Activation act = nullptr, after = nullptr;   // act: nullptr is SiLU; after: nullptr is none
  at::Tensor operator()(const at::Tensor& x) const;
};

// "<name>.linear_1", "<name>.linear_2"
Embedder loadEmbedder(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out);

}  // namespace quantspot::model
