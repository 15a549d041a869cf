#include "metrics/frechet.h"

#include "metrics/npz.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace quantspot::metrics {
namespace {

void checkFinite(const at::Tensor& x, const char* what) {
  if (!x.isfinite().all().item<bool>()) throw std::invalid_argument(std::string(what) + " holds values that are no finite numbers");
}

void checkFeatures(const at::Tensor& x) {
  if (x.dim() != 2 || x.size(0) < 2) throw std::invalid_argument("a Fréchet distance needs two pictures a side at least");
  checkFinite(x, "a set of features");
}

// Rows √w · (x − mean), so that the covariance is their product with themselves over Σw − 1.
at::Tensor centred(const at::Tensor& x, const at::Tensor& weights, at::Tensor& mean) {
  mean = at::mv(x.t(), weights) / weights.sum();
  return (x - mean) * weights.sqrt().unsqueeze(1);
}

}  // namespace

FeatureStatistics statisticsOf(const at::Tensor& features) {
  checkFeatures(features);
  const at::Tensor x = features.to(at::kDouble), mean = x.mean(0), centre = x - mean;
  return {mean, at::mm(centre.t(), centre) / (x.size(0) - 1), x.size(0)};
}

double frechetDistance(const FeatureStatistics& a, const FeatureStatistics& b) {
  if (a.mean.sizes() != b.mean.sizes() || a.covariance.sizes() != b.covariance.sizes())
    throw std::invalid_argument("the statistics are of " + std::to_string(a.mean.numel()) + " and " + std::to_string(b.mean.numel()) + " features; both must come from one network");
  for (const FeatureStatistics* s : {&a, &b}) {
    checkFinite(s->mean, "a mean");
    checkFinite(s->covariance, "a covariance");
  }
  const auto [values, vectors] = at::linalg_eigh(a.covariance);
  const at::Tensor root = vectors * values.clamp_min(0).sqrt().unsqueeze(0);          // Σa = root · rootᵀ
  const at::Tensor inner = at::mm(at::mm(root.t(), b.covariance), root);
  const double cross = at::linalg_eigvalsh((inner + inner.t()) / 2).clamp_min(0).sqrt().sum().item<double>();
  return (a.mean - b.mean).square().sum().item<double>() + (a.covariance.trace() + b.covariance.trace()).item<double>() - 2 * cross;
}

std::vector<double> frechetReplicates(const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights) {
  checkFeatures(a);
  checkFeatures(b);
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble), w = weights.to(at::kDouble);
  std::vector<double> replicates;
  for (std::int64_t r = 0; r < w.size(0); ++r) {
    const at::Tensor wa = w[r].slice(0, 0, x.size(0)), wb = w[r].slice(0, x.size(0));
    const at::Tensor hasA = wa.nonzero().flatten(), hasB = wb.nonzero().flatten();   // a third of the rows is not drawn
    at::Tensor meanA, meanB;
    const at::Tensor ca = centred(x.index_select(0, hasA), wa.index_select(0, hasA), meanA),
        cb = centred(y.index_select(0, hasB), wb.index_select(0, hasB), meanB);
    const double na = wa.sum().item<double>() - 1, nb = wb.sum().item<double>() - 1;
    const double cross = at::linalg_svdvals(at::mm(ca, cb.t())).sum().item<double>() / std::sqrt(na * nb);
    replicates.push_back((meanA - meanB).square().sum().item<double>() + ca.square().sum().item<double>() / na + cb.square().sum().item<double>() / nb - 2 * cross);
  }
  return replicates;
}

FeatureStatistics readStatistics(const std::filesystem::path& path) { return readStatistics(readNpz(path), path); }

FeatureStatistics readStatistics(const std::map<std::string, at::Tensor>& arrays, const std::filesystem::path& path) {
  for (const char* name : {"mu", "sigma"})
    if (!arrays.contains(name)) throw FileError(path, std::string("has no array \"") + name + "\"; a statistics file has mu and sigma");
  FeatureStatistics s{arrays.at("mu").to(at::kDouble), arrays.at("sigma").to(at::kDouble), 0};
  if (s.mean.dim() != 1 || s.covariance.dim() != 2 || s.covariance.size(0) != s.mean.size(0) || s.covariance.size(1) != s.mean.size(0))
    throw FileError(path, "its mu and sigma do not fit each other");
  if (!s.mean.isfinite().all().item<bool>() || !s.covariance.isfinite().all().item<bool>())
    throw FileError(path, "holds values that are no finite numbers");
  if (const auto n = arrays.find("n"); n != arrays.end() && n->second.numel() == 1) s.n = n->second.item<std::int64_t>();
  return s;
}

void writeStatistics(const std::filesystem::path& path, const FeatureStatistics& s) {
  writeNpz(path, {{"mu", s.mean}, {"sigma", s.covariance}, {"n", at::scalar_tensor(s.n, at::kLong)}});
}

}  // namespace quantspot::metrics
