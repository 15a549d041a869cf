#include "quant/checks.h"

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace quantspot::quant {
namespace {

[[noreturn]] void failAtFirstBad(const at::Tensor& weight) {
  const at::Tensor bad = at::isfinite(weight).logical_not().nonzero();
  const auto row = bad.index({0, 0}).item<std::int64_t>(), column = bad.index({0, 1}).item<std::int64_t>();
  std::ostringstream text;
  text << "weight[" << row << ", " << column << "] is " << weight.index({row, column}).item<double>() << " in "
       << c10::toString(weight.scalar_type()) << " (" << bad.size(0) << " such values); only finite weights can be packed";
  throw std::invalid_argument(text.str());
}

}  // namespace

at::Tensor checkedWeight(const at::Tensor& weight, at::ScalarType compute) {
  if (weight.dim() != 2 || weight.numel() == 0 || !at::isFloatingType(weight.scalar_type())) {
    std::ostringstream text;
    text << "a Linear weight is a floating-point matrix (out, in); this one is " << c10::toString(weight.scalar_type()) << " "
         << weight.sizes();
    throw std::invalid_argument(text.str());
  }
  const at::Tensor cast = weight.to(compute).contiguous();
  const auto [low, high] = at::aminmax(cast);  // NaN wins both
  if (!std::isfinite(low.item<double>()) || !std::isfinite(high.item<double>())) failAtFirstBad(cast);
  return cast;
}

}  // namespace quantspot::quant
