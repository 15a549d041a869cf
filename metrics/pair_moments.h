// Squared maximum mean discrepancy of pairs of pictures: what it is and what its spread is made of. With φ the kernel's map and
// δᵢ = φ(aᵢ) − φ(bᵢ), it is |E δ|², and sums of products of different pairs' δ tell it without bias (Gretton et al. 2012, eq. 4).
#pragma once

#include "metrics/mmd.h"

namespace quantspot::metrics {

struct PairMoments {
  double value = 0;                      // Σ δᵢ·δⱼ / n(n − 1) over i ≠ j: unbiased for |E δ|², may be below 0
  double along = 0;                      // variance of δ in the direction of its mean
  double square = 0;                     // tr Σ² of the covariance Σ of δ, unbiased but not below 0; 0 of fewer than four
};
// a, b (N, D), row i of both of one prompt and seed; two rows at least; float64, piece by piece. Unlike mmd() no picture meets its own partner,
// whose likeness makes that estimate too low, by 2/N of what the partners' kernel values are above those of strangers.
// Throws std::invalid_argument as mmd(), and when there are not equally many.
PairMoments pairMoments(Kernel kernel, const at::Tensor& a, const at::Tensor& b);

}  // namespace quantspot::metrics
