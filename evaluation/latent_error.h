// How far a precision's latents are off the baseline's, call by call of the denoiser.
#pragma once

#include <span>
#include <vector>

namespace quantspot::evaluation {

struct LatentError {
  double relative = 0;       // ‖x − b‖₂ / ‖b‖₂ over all values of the latents
  double cosine = 1;         // x·b / (‖x‖₂ ‖b‖₂)
};

// As metrics/latent_error.h defines it, over plain numbers. In double. A baseline of zeros: relative is 0 for zeros, else infinite; the cosine with zeros is 1 for zeros, else 0.
// Throws std::invalid_argument when the lengths differ.
LatentError latentError(std::span<const float> latents, std::span<const float> baseline);
// For each call that both have.
std::vector<LatentError> errorGrowth(const std::vector<std::vector<float>>& latents, const std::vector<std::vector<float>>& baseline);

}  // namespace quantspot::evaluation
