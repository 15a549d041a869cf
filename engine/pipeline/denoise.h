// The loop from noise to final latents: diffusers' FluxPipeline 0.42.1, steps 5 and 6 of its __call__.
#pragma once

#include "engine/model/components.h"
#include "engine/model/scheduler.h"
#include "engine/pipeline/sampler.h"

namespace quantspot::pipeline {

struct Conditioning {
  model::PromptEmbedding prompt;
  std::optional<model::PromptEmbedding> negative;   // with true CFG
};

struct DenoiseOptions {
  double guidance = 3.5;      // used where the transformer embeds it
  double trueCfg = 1.0;       // used with a negative embedding
  int first = 0, last = -1;   // steps to take; last −1: to the end
  std::function<void(int step)> onStep;   // after every step, from 1; may throw Cancelled
};

// latents: packed (B, S, C) in the compute type, conditioning of B prompts; imageIds (S, 3). `scheduler` has its timesteps set. Returns final latents, same
// shape and type, after step `last`. Throws ModelError that names the step when they are no longer finite.
at::Tensor denoise(const model::Transformer& transformer, const model::FlowMatchEuler& scheduler, const Conditioning& conditioning,
                   at::Tensor latents, const at::Tensor& imageIds, const DenoiseOptions& options);

}  // namespace quantspot::pipeline
