#include "quant/plain.h"

#include "quant/checks.h"
#include "quant/cpu_features.h"
#include "quant/packed_linear.h"
#include "quant/pieces.h"

#include <stdexcept>

namespace quantspot::quant {
namespace {

class PlainLinear final : public TiledLinear {
 public:
  using TiledLinear::TiledLinear;

 protected:
  void expandRows(std::int64_t begin, const at::Tensor& to) const override {
    to.copy_(weight().part("").narrow(0, begin, to.size(0)));
  }

  at::Tensor multiply(const at::Tensor& x) const override {
    const bool native = weight().dtype == at::kFloat || (weight().dtype == at::kBFloat16 && hasBf16Gemm());
    return native ? at::linear(x, weight().part(""), bias()) : TiledLinear::multiply(x);
  }
};

}  // namespace

QuantizedTensor Plain::pack(const at::Tensor& weight) const {
  const auto cast = [&](const at::Tensor& rows) -> QuantizedTensor { return {name_, rows.sizes().vec(), type_, {{"", checkedWeight(rows, type_)}}}; };
  return weight.scalar_type() == type_ ? cast(weight) : packByRows(weight, cast);
}

at::Tensor Plain::unpack(const QuantizedTensor& packed) const { return packed.part(""); }

std::unique_ptr<Linear> Plain::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(type_);
  return std::make_unique<PlainLinear>(*this, std::move(weight), std::move(bias));
}

std::string_view plainPrecision(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return "fp32";
    case at::kBFloat16: return "bf16";
    case at::kHalf: return "fp16";
    default: throw std::invalid_argument(std::string("no plain precision holds ") + c10::toString(type));
  }
}

}  // namespace quantspot::quant
