// The loop from noise to final latents: diffusers' FluxPipeline 0.42.1, steps 5 and 6 of its __call__.
#pragma once

#include "engine/model/components.h"
#include "engine/model/schedulers/scheduler.h"
#include "engine/pipeline/sampler.h"

namespace quantspot::pipeline {

struct Conditioning {
  model::PromptEmbedding prompt;
  std::optional<model::PromptEmbedding> negative;   // with true CFG
};

struct DenoiseOptions {
  double guidance = 3.5;      // used where the transformer embeds it
  double trueCfg = 1.0;       // used with a negative embedding
  int first = 0, last = -1;   // calls of the scheduler to take; last −1: to the end
  std::function<void(int call)> onStep;   // after every call, from 1; may throw Cancelled
};

// latents: packed (B, S, C) in the compute type, conditioning of B prompts; imageIds (S, 3). `scheduler` has its timesteps set, and has
// taken the calls before `first`. Returns latents, same shape and type, after call `last`. Throws ModelError that names the call when they are not finite.
at::Tensor denoise(const model::Transformer& transformer, model::Scheduler& scheduler, const Conditioning& conditioning,
                   at::Tensor latents, const at::Tensor& imageIds, const DenoiseOptions& options);

}  // namespace quantspot::pipeline
