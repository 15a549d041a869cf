#include "engine/pipeline/denoise.h"

#include "engine/model/folder.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::pipeline {
namespace {

void checkFinite(const at::Tensor& latents, int step, std::size_t steps) {
  if (!latents.isfinite().all().item<bool>())
    throw model::ModelError(fmt::format("the latents are no longer finite (NaN or infinity) after step {} of {}: this precision "
                                        "does not hold this model's range; try bf16 or fp32", step, steps));
}

}  // namespace

at::Tensor denoise(const model::Transformer& transformer, model::Scheduler& scheduler, const Conditioning& conditioning,
                   at::Tensor latents, const at::Tensor& imageIds, const DenoiseOptions& options) {
  const auto compute = latents.options();
  const std::int64_t pictures = latents.size(0);
  model::TransformerInput input;
  input.imageIds = imageIds;
  if (transformer.guidanceEmbeds()) input.guidance = at::full({pictures}, options.guidance, compute.dtype(at::kFloat));
  const auto velocity = [&](const model::PromptEmbedding& prompt) {
    input.sequence = prompt.sequence;
    input.pooled = prompt.pooled;
    input.textIds = at::zeros({prompt.sequence.size(1), 3}, compute);
    return transformer.forward(input);
  };
  const std::size_t steps = scheduler.timesteps().size(), end = options.last < 0 ? steps : static_cast<std::size_t>(options.last) + 1;
  for (auto i = static_cast<std::size_t>(options.first); i < end; ++i) {
    input.latents = latents;
    // The reference rounds the timestep to the compute type before it divides; bf16 pictures depend on it.
    input.timestep = at::full({pictures}, scheduler.timesteps()[i], compute.dtype(at::kFloat)).to(compute.dtype()) / 1000;
    at::Tensor v = velocity(conditioning.prompt);
    if (conditioning.negative) {
      const at::Tensor away = velocity(*conditioning.negative);
      v = away + options.trueCfg * (v - away);
    }
    latents = scheduler.step(v, i, latents, {});
    checkFinite(latents, static_cast<int>(i) + 1, steps);
    if (options.onStep) options.onStep(static_cast<int>(i) + 1);
  }
  return latents;
}

}  // namespace quantspot::pipeline
