// Fréchet distance of two sets of features, as normal distributions: FID when Inception gives them (Heusel et al. 2017).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace quantspot::metrics {

inline constexpr std::int64_t kFewForFid = 2048;   // below, the bias of FID is of its own size; its covariance has not even full rank

struct FeatureStatistics {
  at::Tensor mean, covariance;           // (D), (D, D) float64; n − 1 in the denominator, as numpy.cov
  std::int64_t n = 0;                    // 0: unknown, of a file
};
// features (N, D) of two rows at least. Throws std::invalid_argument: too few, or a value is no finite number.
FeatureStatistics statisticsOf(const at::Tensor& features);
// |μa − μb|² + tr(Σa + Σb − 2 (Σa Σb)^½), the root by the eigenvalues of Σa^½ Σb Σa^½. Singular covariances are welcome. Throws
// std::invalid_argument when the lengths differ or a value is no finite number.
double frechetDistance(const FeatureStatistics& a, const FeatureStatistics& b);

// The same of the features (N, D), (M, D) themselves, drawn again with replacement for each row of `weights` (R, N + M), counts. In place of
// covariances their roots' singular values: quick where N and M are small.
std::vector<double> frechetReplicates(const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights);

// .npz with "mu" and "sigma", as pytorch-fid, clean-fid and torch-fidelity keep them; also "n" where we wrote it. Throws FileError.
FeatureStatistics readStatistics(const std::filesystem::path& path);
FeatureStatistics readStatistics(const std::map<std::string, at::Tensor>& arrays, const std::filesystem::path& name);   // of readNpz()
void writeStatistics(const std::filesystem::path& path, const FeatureStatistics& statistics);

}  // namespace quantspot::metrics
