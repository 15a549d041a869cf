#include "quant/int8_dynamic.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/divided.h"
#include "quant/int8_product.h"
#include "quant/packed_linear.h"
#include "quant/pieces.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace quantspot::quant {
namespace {

constexpr double codeRange = 127.5;        // (127 − −128) / 2
constexpr double smallestScale = 0x1p-23;  // fp32 epsilon

struct Range {
  float scale;
  std::int32_t zero;
};

class Int8DynamicLinear final : public PackedLinear {
 public:
  using PackedLinear::PackedLinear;

 protected:
  at::Tensor multiply(const at::Tensor& x) const override {
    return surround(x, [&](Range range) {
      const std::int64_t columns = x.size(1);
      const auto* from = x.const_data_ptr<float>();
      Int8Rows rows(x.size(0), columns);
      rows.scales.fill_(range.scale);
      rows.fillCodes([&](std::int64_t row, float scale, std::int8_t* codes) {
        return int8Kernels().quantizeFrom(from + row * columns, columns, 1.0f / scale, range.zero, codes);
      });
      return multiplyInt8(rows, weight().part(""), columnScales(), bias(), Int8Finish::Fbgemm);
    });
  }

  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    return surround(x, [&](Range range) {
      if (const DeviceProducts* products = deviceProducts(x))
        return products->int8(x, {.finish = Int8Finish::Fbgemm, .codes = weight().part(""), .columnScales = columnScales(), .bias = bias(),
                                  .scale = range.scale, .zero = range.zero}).y;
      const at::Tensor codes = (x * (1.0f / range.scale)).round_().clamp_(-range.zero, 127 - range.zero);
      const at::Tensor y = integerSums(codes, weight().part("")).mul_(columnScales() * range.scale);
      return bias().defined() ? y.add_(bias()) : y;
    });
  }

 private:
  at::Tensor columnScales() const { return weight().part("scale").expand({outFeatures()}).contiguous(); }

  // The range of the input, of which 0 is always a part, and what `product` makes with it.
  template <class Product>
  at::Tensor surround(const at::Tensor& x, Product&& product) const {
    if (x.numel() == 0) return at::zeros({x.size(0), outFeatures()}, x.options());
    const auto [low, high] = at::aminmax(x);
    const at::Tensor ends = at::stack({low, high}).cpu();
    if (!at::isfinite(ends).all().item<bool>())
      return at::full({x.size(0), outFeatures()}, std::numeric_limits<float>::quiet_NaN(), x.options());
    const auto [scale, zero] = at::_choose_qparams_per_tensor(ends, /*reduce_range=*/true);
    return product({static_cast<float>(scale), static_cast<std::int32_t>(zero)});
  }
};

}  // namespace

QuantizedTensor Int8Dynamic::pack(const at::Tensor& weight) const {
  at::Tensor largest = packByRows(weight, [&](const at::Tensor& rows) -> QuantizedTensor {
    return {name_, {}, at::kFloat, {{"", checkedWeight(rows, at::kFloat).abs().amax(1)}}};
  }).part("");
  if (!perChannel_) largest = largest.max().view({1});
  const at::Tensor scale = dividedBy(largest, codeRange).clamp_min(smallestScale);
  const at::Tensor factors = scale.reciprocal().expand({weight.size(0)});
  const at::Tensor codes = at::empty(weight.sizes(), weight.options().dtype(at::kChar));
  constexpr std::int64_t together = 256;   // rows: the copy in float32 stays small
  for (std::int64_t row = 0; row < codes.size(0); row += together) {
    const std::int64_t count = std::min(together, codes.size(0) - row);
    const at::Tensor scaled = weight.narrow(0, row, count).to(at::kFloat) * factors.narrow(0, row, count).unsqueeze(1);
    codes.narrow(0, row, count).copy_(scaled.round_().clamp_(-128, 127));
  }
  return {name_, weight.sizes().vec(), at::kFloat, {{"", codes}, {"scale", scale}}};
}

at::Tensor Int8Dynamic::unpack(const QuantizedTensor& packed) const { return packed.part("") * packed.part("scale").view({-1, 1}); }

std::unique_ptr<Linear> Int8Dynamic::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kFloat);
  if (runsHere(weight.part(""))) weight.parts[0].second = toPanels(weight.part(""));
  return std::make_unique<Int8DynamicLinear>(*this, std::move(weight), std::move(bias));
}

std::unique_ptr<Quantizer> Int8Dynamic::with(std::string_view option, std::string_view value) const {
  if (option != "weights") return Quantizer::with(option, value);
  if (value != "per-tensor" && value != "per-channel")
    throw std::invalid_argument("int8-dynamic: weights=" + std::string(value) + " is not one of per-tensor, per-channel");
  return std::make_unique<Int8Dynamic>(value == "per-channel");
}

}  // namespace quantspot::quant
