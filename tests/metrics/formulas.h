// Pictures and weights by the formulas of tests/parity/score_cases.py, which keeps only results.
#pragma once

#include "engine/model/safetensors.h"
#include "metrics/image.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

namespace quantspot::test {

inline const std::filesystem::path kScores = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/scores";

inline nlohmann::json scoreNumbers() { return nlohmann::json::parse(std::ifstream(kScores / "scores.json")); }

inline std::uint32_t fnv(const std::string& text) {
  std::uint32_t value = 2166136261u;
  for (const char c : text) value = (value ^ static_cast<std::uint8_t>(c)) * 16777619u;
  return value;
}

inline at::Tensor uniform(const std::string& name, const std::vector<std::int64_t>& shape) {
  return at::rand(shape, at::detail::createCPUGenerator(fnv(name)), at::kFloat);
}

inline at::Tensor weight(const std::string& name, const std::vector<std::int64_t>& shape) {
  const at::Tensor u = uniform(name, shape);
  if (name.ends_with("running_var")) return 0.5 + u;
  if (name.ends_with("bn.weight")) return 0.8 + 0.4 * u;
  if (name == "alpha" || name == "beta") return u / 1475;
  if (name.starts_with("lin")) return u / shape[1];
  if (shape.size() < 2) return 0.2 * u - 0.1;
  double in = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) in *= static_cast<double>(shape[i]);
  return (2 * u - 1) * std::sqrt(6 / in);
}

inline metrics::Image texture(int width, int height, std::uint32_t seed) {
  metrics::Image image{width, height, {}};
  for (std::uint32_t y = 0; y < static_cast<std::uint32_t>(height); ++y)
    for (std::uint32_t x = 0; x < static_cast<std::uint32_t>(width); ++x)
      for (std::uint32_t c = 0; c < 3; ++c) {
        const std::uint32_t wave = (x * (3 + seed % 5) + y * (2 + seed % 7) + c * (37 + seed)) & 255;
        std::uint32_t h = (x * 73856093u) ^ (y * 19349663u) ^ (c * 83492791u) ^ (seed * 2654435761u);
        h = (h ^ (h >> 13)) * 1274126177u;
        const int noise = static_cast<int>((h ^ (h >> 16)) & 63) - 32;
        image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(static_cast<int>(wave < 128 ? 2 * wave : 511 - 2 * wave) + noise, 0, 255)));
      }
  return image;
}

// Three quarters of the picture, one of another texture.
inline metrics::Image worse(const metrics::Image& image, std::uint32_t seed) {
  metrics::Image out = texture(image.width, image.height, seed);
  for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = static_cast<std::uint8_t>((image.pixels[i] * 3 + out.pixels[i]) / 4);
  return out;
}

inline bool near(double got, double expected, double relative) { return std::abs(got - expected) <= relative * std::max(std::abs(expected), 1e-12); }

}  // namespace quantspot::test
