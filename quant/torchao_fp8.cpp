#include "quant/torchao_fp8.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/divided.h"
#include "quant/pieces.h"
#include "quant/scaled_rows.h"
#include "quant/torchao_int8.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::quant {
namespace {

constexpr double largestCode = 448;
constexpr std::int64_t productStep = 16;  // what the reference's 8-bit product asks of both sides

at::Tensor rowScales(const at::Tensor& values) { return dividedBy(values.abs().amax(1, true), largestCode).to(at::kFloat); }

at::Tensor rowCodes(const at::Tensor& values, const at::Tensor& scales) {
  return (values.to(at::kFloat) / scales).nan_to_num(0, largestCode, -largestCode).clamp_(-largestCode, largestCode).to(at::kFloat8_e4m3fn);
}

// bf16(sum · (token scale · row scale) + bias), the sum in fp32.
class Dynamic final : public CodeTiles {
 public:
  using CodeTiles::CodeTiles;

 protected:
  at::ScalarType productType() const override { return at::kFloat; }

  at::Tensor multiply(const at::Tensor& x) const override {
    const at::Tensor scales = rowScales(x);
    const at::Tensor codes = rowCodes(x, scales).to(at::kFloat);
    return finished(CodeTiles::multiply(codes), scales);
  }

  at::Tensor finish(const at::Tensor& product, std::int64_t) const override { return product; }

  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    if (const DeviceProducts* products = deviceProducts(x)) return products->fp8(x, weight().part(""), weight().part("scale"), bias());
    const at::Tensor scales = rowScales(x);
    return finished(at::linear(rowCodes(x, scales).to(at::kFloat), weight().part("").to(at::kFloat)), scales);
  }

 private:
  at::Tensor finished(const at::Tensor& sums, const at::Tensor& scales) const {
    const at::Tensor y = sums.mul(scales * weight().part("scale").t());
    return (bias().defined() ? y.add(bias()) : y).to(at::kBFloat16);
  }
};

}  // namespace

const std::array<Bf16, 256>& e4m3Values() {
  static const std::array<Bf16, 256> table = [] {
    const at::Tensor values = at::arange(256, at::kByte).view(at::kFloat8_e4m3fn).to(at::kBFloat16);
    std::array<Bf16, 256> bits{};
    std::copy_n(static_cast<const Bf16*>(values.const_data_ptr()), bits.size(), bits.begin());
    return bits;
  }();
  return table;
}

QuantizedTensor TorchAoFp8::pack(const at::Tensor& weight) const {
  return packByRows(weight, [&](const at::Tensor& rows) -> QuantizedTensor {
    const at::Tensor checked = checkedWeight(rows, at::kBFloat16), scales = rowScales(checked);
    if (precisionFor(weight.sizes()) != name())
      throw std::invalid_argument(name_ + " multiplies in sixteens; a weight of " + std::to_string(weight.size(0)) + " x " +
                                  std::to_string(weight.size(1)) + " stays in bf16");
    return {name_, checked.sizes().vec(), at::kBFloat16, {{"", rowCodes(checked, scales)}, {"scale", scales}}};
  });
}

at::Tensor TorchAoFp8::unpack(const QuantizedTensor& packed) const {
  const at::Tensor there = unpackOnDevice(packed, "scale");
  return there.defined() ? there : (packed.part("").to(at::kFloat) * packed.part("scale")).to(at::kBFloat16);
}

std::unique_ptr<Linear> TorchAoFp8::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  if (dynamic_) return std::make_unique<Dynamic>(*this, std::move(weight), std::move(bias));
  return std::make_unique<ScaledRows>(*this, "scale", std::move(weight), std::move(bias));
}

std::vector<std::pair<std::string, at::Tensor>> TorchAoFp8::onDisk(const std::string& layer, const QuantizedTensor& packed) const {
  return torchAoKeys(layer, packed);
}

std::string_view TorchAoFp8::precisionFor(at::IntArrayRef shape) const {
  return !dynamic_ || (shape[0] % productStep == 0 && shape[1] % productStep == 0) ? std::string_view(name_) : "bf16";
}

}  // namespace quantspot::quant
