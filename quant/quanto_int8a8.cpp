#include "quant/quanto_int8a8.h"

#include "quant/device_products.h"
#include "quant/divided.h"
#include "quant/int8_product.h"
#include "quant/kernels/rounding.h"
#include "quant/packed_linear.h"

#include <ATen/ATen.h>

#include <cmath>

namespace quantspot::quant {
namespace {

constexpr double momentum = 0.9;

// max |x| / 127 in bf16; x (M, N) bf16.
float absmaxScale(const at::Tensor& x) { return x.numel() ? dividedBy(x.abs().max(), 127).item<float>() : 1; }

// calibrate.py, _updated_scale, with its roundings.
float updated(float scale, float seen) {
  if (scale == 1) return seen;
  const at::Tensor before = at::full({}, scale, at::kBFloat16), now = at::full({}, seen, at::kBFloat16);
  return (before * momentum + now * (1.0 - momentum)).item<float>();
}

// What is divided by 0 counts as 0: a layer that only ever saw zeros.
at::Tensor rounded(const at::Tensor& x, float scale) {
  return dividedBy(x, scale).round_().nan_to_num_(0, 127, -128).clamp_(-128, 127).to(at::kChar);
}

class Int8a8 final : public PackedLinear, public CalibratedLinear {
 public:
  using PackedLinear::PackedLinear;

 protected:
  at::Tensor multiply(const at::Tensor& x) const override {
    return surround(x, [&](float scale, const at::Tensor& columnScales) {
      const std::int64_t columns = x.size(1);
      const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
      Int8Rows rows(x.size(0), columns);
      rows.fillCodes([&](std::int64_t row, float, std::int8_t* codes) {
        return int8Kernels().quantizeOver(from + row * columns, columns, scale, codes);
      });
      return multiplyInt8(rows, weight().part(""), columnScales, bias(), Int8Finish::Quanto);
    });
  }

  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    return surround(x, [&](float scale, const at::Tensor& columnScales) {
      if (const DeviceProducts* products = deviceProducts(x))
        return products->int8(x, {.finish = Int8Finish::Quanto, .codes = weight().part(""), .columnScales = columnScales, .bias = bias(),
                                  .scale = scale}).y;
      const at::Tensor y = (integerSums(rounded(x, scale), weight().part("")) * columnScales).to(at::kBFloat16);
      return bias().defined() ? y + bias() : y;
    });
  }

 private:
  // The scales before and after `product`.
  template <class Product>
  at::Tensor surround(const at::Tensor& x, Product&& product) const {
    auto& [scales, watching] = state();
    if (watching) scales.input = updated(scales.input, absmaxScale(x));
    const float found = scales.input == 1 ? absmaxScale(x) : scales.input, scale = found > 0 || std::isnan(found) ? found : 1;
    const at::Tensor columns = (weight().part("_scale") * at::full({}, scale, at::kBFloat16)).to(at::kFloat).flatten();
    const at::Tensor y = product(scale, columns);
    if (watching) scales.output = updated(scales.output, absmaxScale(y));
    if (!scales.quantizeOutput) return y;
    const float out = scales.output == 1 ? absmaxScale(y) : scales.output;
    return rounded(y, out) * at::full({}, out, y.options());
  }
};

}  // namespace

std::unique_ptr<Linear> quantoInt8a8(const Quantizer& owner, QuantizedTensor weight, std::optional<at::Tensor> bias) {
  if (runsHere(weight.part(""))) weight.parts[0].second = toPanels(weight.part(""));
  return std::make_unique<Int8a8>(owner, std::move(weight), std::move(bias));
}

}  // namespace quantspot::quant
