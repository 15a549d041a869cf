#include "quant/bnb_int8.h"

#include "quant/checks.h"
#include "quant/cpu_features.h"
#include "quant/device_products.h"
#include "quant/int8_product.h"
#include "quant/kernels/rounding.h"
#include "quant/packed_linear.h"
#include "quant/pieces.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

namespace quantspot::quant {
namespace {

constexpr double perCode = 7.874015718698502e-3;  // 1/127 as bitsandbytes writes it

// (rows, K) of any int8 codes and their row scales → values in the compute type.
at::Tensor dequantize(const at::Tensor& codes, const at::Tensor& scales) {
  return (codes * scales.view({-1, 1}) * perCode).to(at::kBFloat16);
}

// Columns `which` of the weight, back from the panels: (out, count) as dequantize() gives them.
at::Tensor columnsOf(const at::Tensor& panels, const at::Tensor& scales, const at::Tensor& which) {
  const std::int64_t count = which.size(0), rows = scales.size(0), depth = panels.size(1);
  const at::Tensor columns = at::empty({rows, count}, at::kBFloat16);
  const auto* codes = panels.const_data_ptr<std::uint8_t>();
  const auto* scale = scales.const_data_ptr<float>();
  const auto* place = which.const_data_ptr<std::int64_t>();
  auto* to = static_cast<Bf16*>(columns.mutable_data_ptr());
  at::parallel_for(0, rows, std::max<std::int64_t>(1, (1 << 14) / count), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto* lane = codes + (row / panelRows * depth * panelRows + row % panelRows) * panelDepth;
      for (std::int64_t i = 0; i < count; ++i) {
        const int code = lane[place[i] / panelDepth * panelRows * panelDepth + place[i] % panelDepth] - 128;
        to[row * count + i] = roundToBf16(static_cast<float>(code) * scale[row] * static_cast<float>(perCode));
      }
    }
  });
  return columns;
}

// Zero columns up to a whole number of blocks. How many outlier columns there are changes from input to input, and oneDNN makes and
// keeps a kernel for every width that it meets (up to 1,024 of them: some 1 MiB more with each picture).
at::Tensor widened(const at::Tensor& columns) {
  constexpr std::int64_t block = 32;
  const std::int64_t missing = (block - columns.size(1) % block) % block;
  return missing ? at::constant_pad_nd(columns, {0, missing}) : columns;
}

// Torch's bf16 product where it is fast, else in fp32: both round the sum once.
at::Tensor addProduct(const at::Tensor& y, const at::Tensor& x, const at::Tensor& weight) {
  if (!y.device().is_cpu()) return at::addmm(y, x, weight.t());
  if (hasBf16Gemm()) return at::addmm(y, widened(x), widened(weight).t());
  return at::addmm(y.to(at::kFloat), x.to(at::kFloat), weight.to(at::kFloat).t()).to(at::kBFloat16);
}

struct Activations {
  Int8Rows rows;
  at::Tensor outliers;  // (K) u8
};

Activations quantize(const at::Tensor& x, float threshold) {
  const std::int64_t columns = x.size(1);
  Activations a{Int8Rows(x.size(0), columns), at::zeros({columns}, at::kByte)};
  const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
  auto* outliers = a.outliers.mutable_data_ptr<std::uint8_t>();
  a.rows.fillScales([&](std::int64_t row) { return int8Kernels().rowScale(from + row * columns, columns, threshold, outliers); });
  // Only now are all outlier columns known: one large value empties its column in every row.
  a.rows.fillCodes([&](std::int64_t row, float scale, std::int8_t* codes) {
    return int8Kernels().quantizeRow(from + row * columns, columns, scale, outliers, codes);
  });
  return a;
}

class BnbInt8Linear final : public PackedLinear {
 public:
  BnbInt8Linear(const Quantizer& owner, float threshold, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : PackedLinear(owner, std::move(weight), std::move(bias)), threshold_(threshold) {}

 protected:
  at::Tensor multiply(const at::Tensor& x) const override {
    const at::Tensor &panels = weight().part(""), &scales = weight().part("SCB");
    const Activations a = quantize(x, threshold_);
    const at::Tensor out = multiplyInt8(a.rows, panels, scales, bias(), Int8Finish::Bnb);
    const at::Tensor which = a.outliers.nonzero().flatten();
    return which.numel() ? addProduct(out, x.index_select(1, which), columnsOf(panels, scales, which)) : out;
  }

  // bitsandbytes' own operations, for devices without kernels here.
  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    const at::Tensor& codes = weight().part("");
    if (const DeviceProducts* products = deviceProducts(x)) return multiplyWith(*products, x);
    const at::Tensor half = x.to(at::kHalf);
    const at::Tensor large = threshold_ > 0 ? half.abs().ge(threshold_) : at::zeros_like(half, at::kBool);
    const at::Tensor which = large.any(0).nonzero().flatten();
    const at::Tensor rest = half.masked_fill(large, 0);
    const at::Tensor scales = rest.abs().amax(1).to(at::kFloat).view({-1, 1});
    const at::Tensor rows = (rest * (scales.reciprocal() * 127)).round().nan_to_num(0).index_fill(1, which, 0);
    at::Tensor y = integerSums(rows, codes) * (scales * weight().part("SCB").view({1, -1})) * int8Unscale;
    if (bias().defined()) y = y + bias();
    y = y.to(at::kBFloat16);
    if (which.numel() == 0) return y;
    return addProduct(y, x.index_select(1, which), dequantize(codes.index_select(1, which), weight().part("SCB")));
  }

 private:
  at::Tensor multiplyWith(const DeviceProducts& products, const at::Tensor& x) const {
    const at::Tensor &codes = weight().part(""), &scales = weight().part("SCB");
    const Int8Result result = products.int8(x, {Int8Finish::Bnb, codes, scales, bias(), threshold_});
    if (!result.outliers.defined()) return result.y;
    const at::Tensor which = result.outliers.nonzero().flatten();
    return which.numel() ? addProduct(result.y, x.index_select(1, which), dequantize(codes.index_select(1, which), scales)) : result.y;
  }

  float threshold_;
};

}  // namespace

QuantizedTensor BnbInt8::pack(const at::Tensor& weight) const {
  return packByRows(weight, [&](const at::Tensor& rows) -> QuantizedTensor {
    const at::Tensor half = checkedWeight(checkedWeight(rows, at::kBFloat16), at::kHalf);
    const at::Tensor scales = half.abs().amax(1).to(at::kFloat);
    const at::Tensor codes = (half * (scales.reciprocal() * 127).view({-1, 1})).round_().nan_to_num_(0).to(at::kChar);
    return {name_, half.sizes().vec(), at::kBFloat16, {{"", codes}, {"SCB", scales}}};
  });
}

at::Tensor BnbInt8::unpack(const QuantizedTensor& packed) const { return dequantize(packed.part(""), packed.part("SCB")); }

std::unique_ptr<Linear> BnbInt8::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  if (runsHere(weight.part(""))) weight.parts = {{"", toPanels(weight.part(""))}, {"SCB", weight.part("SCB")}};
  return std::make_unique<BnbInt8Linear>(*this, options_.threshold, std::move(weight), std::move(bias));
}

std::unique_ptr<Quantizer> BnbInt8::with(std::string_view option, std::string_view value) const {
  if (option != "threshold") return Quantizer::with(option, value);
  BnbInt8Options changed;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), changed.threshold);
  if (error != std::errc() || end != value.data() + value.size() || !(changed.threshold >= 0) || !std::isfinite(changed.threshold))
    throw std::invalid_argument("bnb-int8: threshold=" + std::string(value) + " is no number of 0 (none) or above");
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), changed.threshold);
  const bool standard = changed.threshold == BnbInt8Options().threshold;
  return std::make_unique<BnbInt8>(standard ? "bnb-int8" : "bnb-int8?threshold=" + std::string(text.data(), written.ptr), changed);
}

}  // namespace quantspot::quant
