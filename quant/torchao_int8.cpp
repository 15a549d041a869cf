#include "quant/torchao_int8.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/divided.h"
#include "quant/int8_product.h"
#include "quant/kernels/rounding.h"
#include "quant/pieces.h"
#include "quant/scaled_rows.h"

#include <ATen/ATen.h>

namespace quantspot::quant {
namespace {

constexpr double codeRange = 127.5;               // (127 − −128) / 2
constexpr double smallestScale = 0x1p-23;         // fp32 epsilon

// (rows, K) bf16 → (rows, 1) f32, rounded to bf16 as the division leaves it.
at::Tensor rowScales(const at::Tensor& values) {
  return dividedBy(values.abs().amax(1, true), codeRange).clamp_min(smallestScale).to(at::kFloat);
}

at::Tensor rowCodes(const at::Tensor& values, const at::Tensor& scales) {
  return (values * scales.reciprocal()).round_().clamp_(-128, 127).to(at::kChar);
}

// bf16(bf16(bf16(x·codes) · bf16(scale)) + bias)
class WeightOnly final : public CodeTiles {
 public:
  using CodeTiles::CodeTiles;

 protected:
  at::Tensor finish(const at::Tensor& product, std::int64_t begin) const override {
    const at::Tensor y = product.to(at::kBFloat16) * weight().part("scale").narrow(0, begin, product.size(1)).to(at::kBFloat16).flatten();
    const at::Tensor added = biasRows(begin, product.size(1));
    return added.defined() ? y.add(added) : y;
  }

  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    return deviceProducts(x) ? CodeTiles::multiplyElsewhere(x) : finish(at::linear(x, weight().part("").to(x.scalar_type())), 0);
  }
};

// bf16(bf16(sum · token scale) · row scale + bias), the sum exact.
class Dynamic final : public PackedLinear {
 public:
  using PackedLinear::PackedLinear;

 protected:
  at::Tensor multiply(const at::Tensor& x) const override {
    const std::int64_t columns = x.size(1);
    const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
    Int8Rows rows(x.size(0), columns);
    rows.fillScales([&](std::int64_t row) {
      const float scale = widen(roundToBf16(int8Kernels().largest(from + row * columns, columns) / static_cast<float>(codeRange)));
      return scale < static_cast<float>(smallestScale) ? static_cast<float>(smallestScale) : scale;
    });
    rows.fillCodes([&](std::int64_t row, float scale, std::int8_t* codes) {
      return int8Kernels().quantizeBy(from + row * columns, columns, 1.0f / scale, codes);
    });
    return multiplyInt8(rows, weight().part(""), weight().part("scale").flatten(), bias(), Int8Finish::TorchAo);
  }

  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    if (const DeviceProducts* products = deviceProducts(x))
      return products->int8(x, {Int8Finish::TorchAo, weight().part(""), weight().part("scale").flatten(), bias()}).y;
    const at::Tensor scales = rowScales(x);
    at::Tensor y = (integerSums(rowCodes(x, scales), weight().part("")) * scales).to(at::kBFloat16) * weight().part("scale").flatten();
    if (bias().defined()) y = y + bias();
    return y.to(at::kBFloat16);
  }
};

}  // namespace

QuantizedTensor TorchAoInt8::pack(const at::Tensor& weight) const {
  return packByRows(weight, [&](const at::Tensor& rows) -> QuantizedTensor {
    const at::Tensor checked = checkedWeight(rows, at::kBFloat16), scales = rowScales(checked);
    return {name_, checked.sizes().vec(), at::kBFloat16,
            {{"", rowCodes(checked, scales)}, {"scale", scales}, {"zero_point", at::zeros_like(scales, at::kChar)}}};
  });
}

at::Tensor TorchAoInt8::unpack(const QuantizedTensor& packed) const {
  const at::Tensor there = unpackOnDevice(packed, "scale");
  return there.defined() ? there : (packed.part("") * packed.part("scale")).to(at::kBFloat16);
}

std::unique_ptr<Linear> TorchAoInt8::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  if (!dynamic_) return std::make_unique<WeightOnly>(*this, std::move(weight), std::move(bias));
  if (runsHere(weight.part(""))) weight.parts[0].second = toPanels(weight.part(""));
  return std::make_unique<Dynamic>(*this, std::move(weight), std::move(bias));
}

std::vector<std::pair<std::string, at::Tensor>> torchAoKeys(const std::string& layer, const QuantizedTensor& packed) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : packed.parts) tensors.emplace_back(layer + "._weight_" + (name.empty() ? "qdata" : name), tensor);
  return tensors;
}

std::vector<std::pair<std::string, at::Tensor>> TorchAoInt8::onDisk(const std::string& layer, const QuantizedTensor& packed) const {
  return torchAoKeys(layer, packed);
}

}  // namespace quantspot::quant
