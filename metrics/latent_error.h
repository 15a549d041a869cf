// How far the latents of a precision are from those of the reference (bf16), step by step.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace quantspot::metrics {

// Of x against the reference r, all values of a picture as one vector, in float64.
struct LatentError {
  double relative = 0;                   // |x − r| / |r|, Euclidean; 0 where both are 0
  double cosine = 1;                     // x·r / (|x| |r|); 1 where both are 0, 0 where one is
};
// Throws std::invalid_argument when the shapes differ or a value is no finite number.
LatentError latentError(const at::Tensor& x, const at::Tensor& reference);
// Of each step: (S, …) against (S, …).
std::vector<LatentError> latentErrors(const at::Tensor& steps, const at::Tensor& reference);

}  // namespace quantspot::metrics
