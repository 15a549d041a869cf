#include "engine/pipeline/denoise.h"

#include "engine/model/folder.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <numeric>

namespace quantspot::pipeline {
namespace {

void checkFinite(const at::Tensor& latents, std::size_t call, std::size_t calls) {
  if (!latents.isfinite().all().item<bool>())
    throw model::ModelError(fmt::format("the latents are no longer finite (NaN or infinity) after step {} of {}: this precision "
                                        "does not hold this model's range; try bf16 or fp32", call, calls));
}

// Deviations are those of each picture.
at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& prompt, double amount) {
  std::vector<std::int64_t> axes(static_cast<std::size_t>(guided.dim() - 1));
  std::iota(axes.begin(), axes.end(), 1);
  const auto deviation = [&](const at::Tensor& x) { return at::std(x, axes, true, true); };
  return amount * (guided * (deviation(prompt) / deviation(guided))) + (1 - amount) * guided;
}

// One denoiser with all that it is told besides latents and time.
class Guided {
 public:
  Guided(const model::Denoiser& denoiser, Conditioning conditioning, const DenoiseOptions& options, const at::Tensor& latents)
      : denoiser_(denoiser), options_(options), conditioning_(std::move(conditioning)) {
    if (denoiser.embedsGuidance() && options.kind == model::Guidance::Classifier) conditioning_.negative.reset();   // distilled from both passes
    if (denoiser.embedsGuidance()) {
      const at::Tensor scale = at::full({latents.size(0)}, options.guidance, latents.options().dtype(at::kFloat));
      conditioning_.prompt["guidance"] = scale;
      if (conditioning_.negative) (*conditioning_.negative)["guidance"] = scale;
    }
    if (conditioning_.negative && options.kind == model::Guidance::Classifier) both_ = model::joined({*conditioning_.negative, conditioning_.prompt});
  }

  at::Tensor operator()(const at::Tensor& latents, double timestep) const {
    if (!conditioning_.negative) return denoiser_.predict(latents, timestep, conditioning_.prompt);
    if (options_.kind == model::Guidance::Embedded) {
      const at::Tensor prompt = denoiser_.predict(latents, timestep, conditioning_.prompt),
          away = denoiser_.predict(latents, timestep, *conditioning_.negative);
      return away + options_.trueCfg * (prompt - away);
    }
    const auto halves = denoiser_.predict(at::cat({latents, latents}), timestep, both_).chunk(2);
    const at::Tensor guided = halves[0] + options_.guidance * (halves[1] - halves[0]);
    return options_.rescale > 0 ? rescaled(guided, halves[1], options_.rescale) : guided;
  }

 private:
  const model::Denoiser& denoiser_;
  const DenoiseOptions& options_;
  Conditioning conditioning_;
  model::Condition both_;
};

}  // namespace

at::Tensor denoise(const model::Denoiser& denoiser, model::Scheduler& scheduler, const Conditioning& conditioning, at::Tensor latents,
                   const model::NoiseSource& noise, const DenoiseOptions& options) {
  const Guided guided(denoiser, conditioning, options, latents);
  const std::size_t calls = scheduler.timesteps().size();
  const bool twice = options.stepsInput && conditioning.negative.has_value();
  const model::NoiseSource drawn = [&](at::IntArrayRef shape) {
    if (!twice) return noise(shape);
    std::vector<std::int64_t> both = shape.vec();
    both.insert(both.begin() + 1, 2);
    return noise(both).select(1, 0);
  };
  for (std::size_t call = options.begin; call < std::min(options.end, calls); ++call) {
    const at::Tensor seen = scheduler.scaleModelInput(latents, call);
    const at::Tensor output = guided(seen, scheduler.timesteps()[call]);
    latents = scheduler.step(output, call, options.stepsInput ? seen : latents, drawn);
    checkFinite(latents, call + 1, calls);
    if (options.onCall) options.onCall(call + 1, latents);
  }
  return latents;
}

}  // namespace quantspot::pipeline
