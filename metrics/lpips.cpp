#include "metrics/lpips.h"

#include <ATen/ATen.h>

namespace quantspot::metrics {
namespace {

at::Tensor channel(float r, float g, float b) { return at::tensor({r, g, b}).view({1, 3, 1, 1}); }

at::Tensor scaled(ImageView image) {
  return (pixelsOf(image) / 127.5 - 1 - channel(-0.030f, -0.088f, -0.188f)) / channel(0.458f, 0.448f, 0.450f);
}

at::Tensor unit(const at::Tensor& x) { return x / ((x * x).sum(1, true).sqrt() + 1e-10); }

}  // namespace

at::Tensor pixelsOf(ImageView image) {
  const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(image.pixels), {image.height, image.width, 3}, at::kByte);
  return bytes.permute({2, 0, 1}).to(at::kFloat).contiguous().unsqueeze(0);
}

Lpips::Lpips(TrunkKind kind, const WeightSource& weights) : trunk_(kind, weights) {
  for (std::size_t i = 0; i < trunk_.channels().size(); ++i)
    lines_.push_back(weights("lin" + std::to_string(i) + ".model.1.weight", {1, trunk_.channels()[i], 1, 1}).to(at::kFloat));
}

double Lpips::operator()(ImageView image, ImageView reference) const {
  checkSameSize(image, reference);
  const auto a = trunk_(scaled(image)), b = trunk_(scaled(reference));
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += at::conv2d((unit(a[i]) - unit(b[i])).square(), lines_[i]).mean().item<double>();
  return sum;
}

}  // namespace quantspot::metrics
