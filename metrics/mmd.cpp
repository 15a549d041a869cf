#include "metrics/mmd.h"

#include <ATen/ATen.h>

#include <stdexcept>
#include <string>

namespace quantspot::metrics {

void checkSets(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() != 2 || b.dim() != 2 || a.size(0) < 2 || b.size(0) < 2)
    throw std::invalid_argument("KID and CMMD need two pictures a side at least");
  if (a.size(1) != b.size(1))
    throw std::invalid_argument("the features have lengths " + std::to_string(a.size(1)) + " and " + std::to_string(b.size(1)) +
                                "; both must come from one network");
  if (!a.isfinite().all().item<bool>() || !b.isfinite().all().item<bool>())
    throw std::invalid_argument("a set of features holds values that are no finite numbers");
}

at::Tensor kernelValues(Kernel kernel, const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor products = at::mm(x, y.t());
  if (kernel == Kernel::Cubic) return (products / static_cast<double>(x.size(1)) + 1).pow(3);
  const at::Tensor distances = x.square().sum(1, true) + y.square().sum(1).unsqueeze(0) - 2 * products;
  return 1000 * (distances.clamp_min(0) / -200).exp();
}

namespace {

constexpr std::int64_t kPiece = 1024;

// For each row of the weights: Σ wᵢ wⱼ k(xᵢ, yⱼ), and of it what pairs with itself (where x is y).
struct Sums { at::Tensor all, own; };
Sums sums(Kernel kernel, const at::Tensor& x, const at::Tensor& y, const at::Tensor& wx, const at::Tensor& wy, bool same) {
  Sums s{at::zeros({wx.size(0)}, at::kDouble), at::zeros({wx.size(0)}, at::kDouble)};
  for (std::int64_t first = 0; first < x.size(0); first += kPiece) {
    const at::Tensor piece = x.slice(0, first, first + kPiece), weights = wx.slice(1, first, first + kPiece);
    const at::Tensor k = kernelValues(kernel, piece, y);
    s.all += (at::mm(weights, k) * wy).sum(1);
    if (same) s.own += at::mv(weights.square(), k.diagonal(first));
  }
  return s;
}

struct Replicates { at::Tensor unbiased, biased; };
Replicates replicates(Kernel kernel, const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights) {
  checkSets(a, b);
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble), w = weights.to(at::kDouble);
  const at::Tensor wx = w.slice(1, 0, x.size(0)).contiguous(), wy = w.slice(1, x.size(0)).contiguous();
  const Sums xx = sums(kernel, x, x, wx, wx, true), yy = sums(kernel, y, y, wy, wy, true), xy = sums(kernel, x, y, wx, wy, false);
  const at::Tensor nx = wx.sum(1), ny = wy.sum(1), cross = 2 * xy.all / (nx * ny);
  const auto pairs = [](const at::Tensor& n, const at::Tensor& counts) { return n.square() - counts.square().sum(1); };
  return {(xx.all - xx.own) / pairs(nx, wx) + (yy.all - yy.own) / pairs(ny, wy) - cross, xx.all / nx.square() + yy.all / ny.square() - cross};
}

}  // namespace

Mmd mmd(Kernel kernel, const at::Tensor& a, const at::Tensor& b) {
  checkSets(a, b);
  const Replicates once = replicates(kernel, a, b, at::ones({1, a.size(0) + b.size(0)}, at::kDouble));
  return {once.unbiased.item<double>(), once.biased.item<double>()};
}

std::vector<double> mmdReplicates(Kernel kernel, const at::Tensor& a, const at::Tensor& b, const at::Tensor& weights) {
  const at::Tensor all = replicates(kernel, a, b, weights).unbiased.contiguous();
  return {all.const_data_ptr<double>(), all.const_data_ptr<double>() + all.numel()};
}

}  // namespace quantspot::metrics
