#include "metrics/pair_moments.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace quantspot::metrics {
namespace {

constexpr std::int64_t kPiece = 512;

struct Products { at::Tensor rows, own; double squares = 0; };   // Σⱼ δᵢ·δⱼ without j = i; δᵢ·δᵢ; Σ (δᵢ·δⱼ)² over i ≠ j

Products productsOf(Kernel kernel, const at::Tensor& x, const at::Tensor& y) {
  Products sums{at::empty({x.size(0)}, at::kDouble), at::empty({x.size(0)}, at::kDouble)};
  for (std::int64_t first = 0; first < x.size(0); first += kPiece) {
    const at::Tensor px = x.slice(0, first, first + kPiece), py = y.slice(0, first, first + kPiece);
    const at::Tensor products = kernelValues(kernel, px, x) + kernelValues(kernel, py, y) - kernelValues(kernel, px, y) - kernelValues(kernel, py, x);
    const at::Tensor own = products.diagonal(first);
    sums.own.slice(0, first, first + kPiece).copy_(own);
    own.zero_();
    sums.rows.slice(0, first, first + kPiece).copy_(products.sum(1));
    sums.squares += products.square().sum().item<double>();
  }
  return sums;
}

}  // namespace

PairMoments pairMoments(Kernel kernel, const at::Tensor& a, const at::Tensor& b) {
  checkSets(a, b);
  if (a.size(0) != b.size(0))
    throw std::invalid_argument("pairs need equally many pictures a side; these are " + std::to_string(a.size(0)) + " and " +
                                std::to_string(b.size(0)));
  const Products sums = productsOf(kernel, a.to(at::kDouble), b.to(at::kDouble));
  const double n = static_cast<double>(a.size(0)), all = sums.rows.sum().item<double>();
  const at::Tensor means = (sums.rows + sums.own) / n;   // of δᵢ with the mean of all δ
  const double length = means.mean().item<double>();
  PairMoments moments{all / (n * (n - 1))};
  if (length > 0) moments.along = means.var().item<double>() / length;
  if (n < 4) return moments;
  const double square = sums.squares - 2 / (n - 2) * sums.rows.square().sum().item<double>() + all * all / ((n - 1) * (n - 2));
  moments.square = std::max(0.0, square / (n * (n - 3)));
  return moments;
}

}  // namespace quantspot::metrics
