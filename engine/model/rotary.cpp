#include "engine/model/rotary.h"

#include <ATen/ATen.h>

namespace quantspot::model {
namespace {

constexpr double kTheta = 10000.0;

}  // namespace

Rotary Rotary::fromIds(const at::Tensor& ids, const std::vector<std::int64_t>& axesDims) {
  std::vector<at::Tensor> cos, sin;
  const at::Tensor positions = ids.to(at::kFloat);
  for (std::size_t axis = 0; axis < axesDims.size(); ++axis) {
    const std::int64_t width = axesDims[axis];
    const auto exponents = at::arange(0, width, 2, positions.options().dtype(at::kDouble)) / static_cast<double>(width);
    const auto angles = at::outer(positions.select(1, static_cast<std::int64_t>(axis)), at::pow(kTheta, exponents).reciprocal());
    cos.push_back(at::cos(angles).repeat_interleave(2, 1).to(at::kFloat));
    sin.push_back(at::sin(angles).repeat_interleave(2, 1).to(at::kFloat));
  }
  return {at::cat(cos, -1), at::cat(sin, -1)};
}

at::Tensor Rotary::apply(const at::Tensor& x) const {
  const auto pairs = x.to(at::kFloat).unflatten(-1, {-1, 2});
  const auto turned = at::stack({-pairs.select(-1, 1), pairs.select(-1, 0)}, -1).flatten(3);
  return (pairs.flatten(3) * cos.unsqueeze(1) + turned * sin.unsqueeze(1)).to(x.scalar_type());
}

}  // namespace quantspot::model
