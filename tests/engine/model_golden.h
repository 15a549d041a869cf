// The golden FLUX pipelines of tests/parity, and FluxPipeline's loop around the models, for the tests of engine/model.
#pragma once

#include "engine/model/components.h"
#include "engine/model/config.h"
#include "engine/model/safetensors.h"
#include "engine/model/schedulers/scheduler.h"

#include <ATen/ATen.h>
#include <QString>

namespace quantspot::model::test {

inline std::filesystem::path source(const std::string& relative) { return std::filesystem::path(QUANTSPOT_SOURCE_DIR) / relative; }

struct Golden {
  explicit Golden(const std::string& name)
      : folder(source("tests/parity/golden/" + name)), recipe(readJson(folder / "case.json")), expected(folder / "expected.safetensors") {}
  at::Tensor operator[](const std::string& key) const { return expected.copy(expected.entries().at(key)); }
  std::filesystem::path pipeline() const { return folder / "pipeline"; }

  std::filesystem::path folder;
  nlohmann::json recipe;
  SafeTensors expected;
};

// |a − b| / |b|, in the Euclidean norm.
inline double relativeError(const at::Tensor& a, const at::Tensor& b) {
  const auto reference = b.to(at::kDouble);
  return ((a.to(at::kDouble) - reference).norm() / reference.norm()).item<double>();
}
inline QByteArray shown(double value) { return QByteArray::number(value, 'g', 4); }

struct Rendered {
  at::Tensor firstVelocity, latents, image;  // packed, packed, (B, 3, H, W)
};

// What FluxPipeline.__call__ does, in the compute type.
inline Rendered render(const Golden& golden, const LoadOptions& options) {
  const auto& r = golden.recipe;
  const auto type = options.compute;
  const auto prompts = r["prompts"].get<std::vector<std::string>>();
  const int length = r["max_sequence_length"];
  const auto encoders = loadTextEncoders(golden.pipeline(), options);
  const auto transformer = loadTransformer(golden.pipeline(), options);
  const auto autoencoder = loadAutoencoder(golden.pipeline(), options);
  const PromptEmbedding positive = encoders->encode(prompts, length);
  const bool guided = r["true_cfg"] > 1.0 && !r["negative_prompt"].is_null();
  const PromptEmbedding negative = guided ? encoders->encode({r["negative_prompt"].get<std::string>()}, length) : PromptEmbedding();

  at::Tensor latents = golden["noise_packed"].to(type);
  const std::int64_t batch = latents.size(0), channels = latents.size(2) / 4;
  const std::int64_t h = r["height"].get<int>() / autoencoder->scaleFactor() / 2, w = r["width"].get<int>() / autoencoder->scaleFactor() / 2;
  auto imageIds = at::zeros({h, w, 3}, type);
  imageIds.select(2, 1).add_(at::arange(h, type).unsqueeze(1));
  imageIds.select(2, 2).add_(at::arange(w, type));
  const auto scheduler = loadScheduler(golden.pipeline());
  const int steps = r["steps"];
  scheduler->setTimesteps(steps, latents.size(1));

  Rendered out;
  for (int i = 0; i < steps; ++i) {
    TransformerInput in{.latents = latents, .sequence = positive.sequence, .pooled = positive.pooled, .timestep = {}, .guidance = {},
                        .textIds = at::zeros({length, 3}, type), .imageIds = imageIds.reshape({-1, 3})};
    in.timestep = at::full({batch}, scheduler->timesteps()[static_cast<std::size_t>(i)], at::kFloat).to(type) / 1000;
    if (transformer->guidanceEmbeds()) in.guidance = at::full({batch}, r["guidance"].get<double>(), at::kFloat);
    at::Tensor velocity = transformer->forward(in);
    if (i == 0) out.firstVelocity = velocity;
    if (guided) {
      in.sequence = negative.sequence;
      in.pooled = negative.pooled;
      const at::Tensor away = transformer->forward(in);
      velocity = away + r["true_cfg"].get<double>() * (velocity - away);
    }
    latents = scheduler->step(velocity, static_cast<std::size_t>(i), latents, {});
  }
  out.latents = latents;
  const auto grid = latents.view({batch, h, w, channels, 2, 2}).permute({0, 3, 1, 4, 2, 5}).reshape({batch, channels, 2 * h, 2 * w});
  out.image = autoencoder->decode(grid);
  return out;
}

// As VaeImageProcessor.postprocess: (B, H, W, 3), 8 bits.
inline at::Tensor toRgb(const at::Tensor& image) {
  return (image * 0.5 + 0.5).clamp(0, 1).permute({0, 2, 3, 1}).to(at::kFloat).mul(255).round().to(at::kByte);
}

}  // namespace quantspot::model::test
