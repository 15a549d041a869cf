// Squared maximum mean discrepancy of two sets of features: KID (Bińkowski et al. 2018) and CMMD (Jayasumana et al. 2024).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace quantspot::metrics {

enum class Kernel {
  Cubic,                                 // KID: (x·y / D + 1)³
  Gaussian,                              // CMMD: 1000 · exp(−|x − y|² / 200), of unit vectors
};

struct Mmd {
  double unbiased = 0;                   // without the pairs of a picture with itself: may be below 0; clean-fid's KID where N = M ≤ 1000
  double biased = 0;                     // with them, as CMMD was published
};
// a (N, D), b (M, D), two rows at least; computed in float64, piece by piece. Throws std::invalid_argument: too few, lengths that differ,
// a value that is no finite number.
Mmd mmd(Kernel kernel, const at::Tensor& a, const at::Tensor& b);
// The unbiased estimate for each row of `weights` (R, N + M), counts of draws with replacement; a picture drawn twice makes no pair with itself.
std::vector<double> mmdReplicates(Kernel kernel, const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights);

// k(xᵢ, yⱼ) of float64 rows (N, D), (M, D): (N, M).
at::Tensor kernelValues(Kernel kernel, const at::Tensor& x, const at::Tensor& y);
// Throws what mmd() throws.
void checkSets(const at::Tensor& a, const at::Tensor& b);

}  // namespace quantspot::metrics
