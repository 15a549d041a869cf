#include "metrics/dists.h"

#include "metrics/lpips.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::metrics {
namespace {

constexpr double kStability = 1e-6;
constexpr std::int64_t kLargest = 256;

at::Tensor spatialMean(const at::Tensor& x) { return x.mean(at::IntArrayRef{2, 3}, true); }

}  // namespace

Dists::Dists(const WeightSource& weights) : trunk_(TrunkKind::Vgg, weights) {
  std::vector<std::int64_t> channels = trunk_.channels();
  channels.insert(channels.begin(), 3);
  const at::Tensor alpha = weights("alpha", {1, 1475, 1, 1}).to(at::kFloat), beta = weights("beta", {1, 1475, 1, 1}).to(at::kFloat),
      sum = alpha.sum() + beta.sum();
  alpha_ = (alpha / sum).split_with_sizes(channels, 1);
  beta_ = (beta / sum).split_with_sizes(channels, 1);
}

std::vector<at::Tensor> Dists::features(ImageView image) const {
  at::Tensor x = pixelsOf(image) / 255;
  if (const std::int64_t shorter = std::min(image.width, image.height); shorter > kLargest) {
    const double scale = static_cast<double>(kLargest) / static_cast<double>(shorter);
    const auto side = [&](int n) { return static_cast<std::int64_t>(n * scale); };
    x = at::upsample_bilinear2d(x, {side(image.height), side(image.width)}, false, scale, scale);
  }
  const auto channel = [](float r, float g, float b) { return at::tensor({r, g, b}).view({1, 3, 1, 1}); };
  auto features = trunk_((x - channel(0.485f, 0.456f, 0.406f)) / channel(0.229f, 0.224f, 0.225f), true);
  features.insert(features.begin(), x);  // the picture itself is the first
  return features;
}

double Dists::operator()(ImageView image, ImageView reference) const {
  checkSameSize(image, reference);
  const auto a = features(image), b = features(reference);
  double similarity = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const at::Tensor ma = spatialMean(a[i]), mb = spatialMean(b[i]);
    const at::Tensor structure = (2 * ma * mb + kStability) / (ma * ma + mb * mb + kStability);
    const at::Tensor covariance = spatialMean(a[i] * b[i]) - ma * mb;
    const at::Tensor texture = (2 * covariance + kStability) / (spatialMean((a[i] - ma).square()) + spatialMean((b[i] - mb).square()) + kStability);
    similarity += (structure * alpha_[i] + texture * beta_[i]).sum().item<double>();
  }
  return 1 - similarity;
}

}  // namespace quantspot::metrics
