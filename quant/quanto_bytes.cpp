#include "quant/quanto_bytes.h"

#include "quant/checks.h"
#include "quant/divided.h"
#include "quant/pieces.h"
#include "quant/quanto_int8a8.h"
#include "quant/scaled_rows.h"

#include <ATen/ATen.h>

namespace quantspot::quant {
namespace {

constexpr std::int64_t packStep = 4;  // widths that torch's product with int8 weights takes

// bf16(bf16(sum · scale) + bias), the sum in fp32: at::_weight_int8pack_mm.
class Int8Packed final : public CodeTiles {
 public:
  using CodeTiles::CodeTiles;

 protected:
  at::ScalarType productType() const override { return at::kFloat; }
  at::Tensor finish(const at::Tensor& product, std::int64_t begin) const override {
    const at::Tensor scales = weight().part("_scale").narrow(0, begin, product.size(1)).to(at::kFloat).view({1, -1});
    return roundThenAdd(product * scales, biasRows(begin, product.size(1)));
  }
};

}  // namespace

QuantizedTensor QuantoBytes::pack(const at::Tensor& weight) const {
  return packByRows(weight, [&](const at::Tensor& rows) -> QuantizedTensor {
    const at::Tensor checked = checkedWeight(rows, at::kBFloat16);
    const bool fp8 = kind_ == Kind::Fp8;
    const at::Tensor scales = dividedBy(checked.abs().amax(1, true), fp8 ? 448.0 : 127.0);
    const at::Tensor divided = checked / scales;  // rounded to bf16, and only then to the code
    const double low = fp8 ? -448 : -128, high = fp8 ? 448 : 127;
    const at::Tensor values = (fp8 ? divided : divided.round()).nan_to_num(0, high, low).clamp(low, high);
    return {name_, checked.sizes().vec(), at::kBFloat16, {{"", values.to(fp8 ? at::kFloat8_e4m3fn : at::kChar)}, {"_scale", scales}}};
  });
}

at::Tensor QuantoBytes::unpack(const QuantizedTensor& packed) const {
  const at::Tensor there = unpackOnDevice(packed, "_scale");
  return there.defined() ? there : packed.part("").to(at::kBFloat16) * packed.part("_scale");
}

std::unique_ptr<Linear> QuantoBytes::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  if (kind_ == Kind::Int8Activations) return quantoInt8a8(*this, std::move(weight), std::move(bias));
  if (kind_ == Kind::Int8 && weight.shape[1] % packStep == 0) return std::make_unique<Int8Packed>(*this, std::move(weight), std::move(bias));
  return std::make_unique<ScaledRows>(*this, "_scale", std::move(weight), std::move(bias));
}

std::vector<std::pair<std::string, at::Tensor>> QuantoBytes::onDisk(const std::string& layer, const QuantizedTensor& packed) const {
  const at::Tensor scale = packed.part("_scale"), one = at::ones({}, at::kBFloat16);
  return {{layer + ".weight._data", packed.part("")},
          {layer + ".weight._scale", packed.shape[0] == 1 ? scale.view({}) : scale},
          {layer + ".input_scale", one},
          {layer + ".output_scale", one}};
}

}  // namespace quantspot::quant
