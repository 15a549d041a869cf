// Golden pipelines with several pictures, for tests that draw them through the sampler.
#pragma once

#include "engine/model/safetensors.h"
#include "engine/pipeline/sampler.h"

#include <ATen/ATen.h>
#include <QString>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace quantspot::test {

// A folder of tests/parity/golden: pipeline, case.json, expected.safetensors.
struct Case {
  explicit Case(const QString& name)
      : folder(std::filesystem::path(QUANTSPOT_SOURCE_DIR "/tests/parity/golden") / name.toStdString()),
        recipe(nlohmann::json::parse(std::ifstream(folder / "case.json"))),
        expected(folder / "expected.safetensors") {}

  at::Tensor operator[](const char* key) const { return expected.copy(expected.entries().at(key)); }
  bool has(const char* key) const { return expected.entries().contains(key); }
  std::size_t pictures() const { return recipe["prompts"].size(); }

  protocol::Recipe of(std::size_t picture) const {
    nlohmann::json one = recipe;
    one.erase("strength");               // of a run of its own
    one["prompt"] = recipe["prompts"][picture];
    if (recipe.contains("seeds")) one["seed"] = recipe["seeds"][picture];
    return one.get<protocol::Recipe>();
  }
  pipeline::SampleRequest request(const char* precision) const {
    pipeline::SampleRequest request{.model = folder / "pipeline", .policy = quant::parsePolicy(precision), .recipe = of(0), .device = "cpu",
                                    .noise = {}, .progress = {}, .cancel = nullptr};
    for (std::size_t i = 1; i < pictures(); ++i) request.more.push_back(of(i));
    return request;
  }

  std::filesystem::path folder;
  nlohmann::json recipe;
  model::SafeTensors expected;
};

inline double relativeError(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

inline int pixelsOff(const pipeline::RgbImage& image, const at::Tensor& wanted) {
  const at::Tensor got = at::from_blob(const_cast<std::uint8_t*>(image.pixels.data()), wanted.sizes(), at::kByte);
  return (got.to(at::kInt) - wanted.to(at::kInt)).abs().max().item<int>();
}

}  // namespace quantspot::test
