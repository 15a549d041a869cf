// The loop from noise to final latents, as the pipelines of diffusers 0.42.1 run it in their __call__.
#pragma once

#include "engine/model/family.h"
#include "engine/model/schedulers/scheduler.h"
#include "engine/pipeline/sampler.h"

namespace quantspot::pipeline {

struct Conditioning {
  model::Condition prompt;
  std::optional<model::Condition> negative;   // with true CFG, or with classifier-free guidance
};

struct DenoiseOptions {
  model::Guidance kind = model::Guidance::Embedded;
  double guidance = 3.5;      // used where the denoiser embeds it, and of classifier-free guidance
  double trueCfg = 1.0;       // used with a negative condition beside an embedded guidance
  double rescale = 0;         // of classifier-free guidance: how far the deviation is led back to the prompt's own (arXiv:2305.08891, 3.4)
  bool stepsInput = false;    // the scheduler moves what the model has seen; of noise for both passes of classifier-free guidance the first part is used
  std::size_t begin = 0, end = 0;         // calls of the scheduler's to make
  std::function<void(std::size_t call, const at::Tensor& latents)> onCall;   // after every call, from 1; may throw Cancelled
};

// latents (B, C, h, w) in the compute type, conditions of B prompts. `scheduler` has its timesteps set and made all calls before
// `begin`. Returns the latents after the last call, same shape and type. Throws ModelError that names the call when they are no
// longer finite.
at::Tensor denoise(const model::Denoiser& denoiser, model::Scheduler& scheduler, const Conditioning& conditioning, at::Tensor latents,
                   const model::NoiseSource& noise, const DenoiseOptions& options);

}  // namespace quantspot::pipeline
