// The golden FLUX pipelines of tests/parity, and FluxPipeline's loop around the models, for the tests of engine/model.
#pragma once

#include "engine/model/config.h"
#include "engine/model/flux/flux.h"
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
  const EncodeOptions length{.maxSequenceLength = r["max_sequence_length"]};
  const auto encoders = loadTextEncoders(golden.pipeline(), options);
  const auto transformer = loadDenoiser(golden.pipeline(), options);
  const auto autoencoder = loadAutoencoder(golden.pipeline(), options);
  Condition positive = encoders->encode(r["prompts"].get<std::vector<std::string>>(), length).condition;
  const bool guided = r["true_cfg"] > 1.0 && !r["negative_prompt"].is_null();
  const Condition negative = guided ? encoders->encodeNegative(r["negative_prompt"].get<std::string>(), length).condition : Condition();

  const std::int64_t h = r["height"].get<int>() / autoencoder->scaleFactor(), w = r["width"].get<int>() / autoencoder->scaleFactor();
  at::Tensor latents = unpackLatents(golden["noise_packed"].to(options.compute), h, w);
  if (transformer->embedsGuidance()) positive["guidance"] = at::full({latents.size(0)}, r["guidance"].get<double>(), at::kFloat);
  const auto scheduler = loadScheduler(golden.pipeline());
  scheduler->setTimesteps(r["steps"], h / 2 * (w / 2));

  Rendered out;
  for (std::size_t i = 0; i < scheduler->timesteps().size(); ++i) {
    at::Tensor velocity = transformer->predict(latents, scheduler->timesteps()[i], positive);
    if (i == 0) out.firstVelocity = packLatents(velocity);
    if (guided) {
      const at::Tensor away = transformer->predict(latents, scheduler->timesteps()[i], negative);
      velocity = away + r["true_cfg"].get<double>() * (velocity - away);
    }
    latents = scheduler->step(velocity, i, latents, {});
  }
  out.latents = packLatents(latents);
  out.image = autoencoder->decode(latents);
  return out;
}

// As VaeImageProcessor.postprocess: (B, H, W, 3), 8 bits.
inline at::Tensor toRgb(const at::Tensor& image) {
  return (image * 0.5 + 0.5).clamp(0, 1).permute({0, 2, 3, 1}).to(at::kFloat).mul(255).round().to(at::kByte);
}

}  // namespace quantspot::model::test
