#include "evaluation/latent_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace quantspot::evaluation {

LatentError latentError(std::span<const float> latents, std::span<const float> baseline) {
  if (latents.size() != baseline.size())
    throw std::invalid_argument("latents of " + std::to_string(latents.size()) + " values cannot be compared with " + std::to_string(baseline.size()));
  double off = 0, own = 0, other = 0, dot = 0;
  for (std::size_t i = 0; i < latents.size(); ++i) {
    const double x = latents[i], b = baseline[i];
    off += (x - b) * (x - b);
    own += x * x;
    other += b * b;
    dot += x * b;
  }
  if (other == 0) return {off == 0 ? 0 : std::numeric_limits<double>::infinity(), own == 0 ? 1.0 : 0.0};
  return {std::sqrt(off / other), own == 0 ? 0 : std::clamp(dot / std::sqrt(own * other), -1.0, 1.0)};
}

std::vector<LatentError> errorGrowth(const std::vector<std::vector<float>>& latents, const std::vector<std::vector<float>>& baseline) {
  std::vector<LatentError> errors;
  for (std::size_t i = 0; i < std::min(latents.size(), baseline.size()); ++i) errors.push_back(latentError(latents[i], baseline[i]));
  return errors;
}

}  // namespace quantspot::evaluation
