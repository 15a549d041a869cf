#include "quant/bnb_int8.h"

#include "quant/checks.h"
#include "quant/cpu_features.h"
#include "quant/kernels/int8.h"
#include "quant/kernels/rounding.h"
#include "quant/packed_linear.h"

#include <ATen/Parallel.h>

namespace quantspot::quant {
namespace {

constexpr double perCode = 7.874015718698502e-3;  // 1/127 as bitsandbytes writes it

// (rows, K) of any int8 codes and their row scales → values in the compute type.
at::Tensor dequantize(const at::Tensor& codes, const at::Tensor& scales) {
  return (codes * scales.view({-1, 1}) * perCode).to(at::kBFloat16);
}

std::int64_t roundUp(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

// (out, in) codes → the layout of Int8Product::panels, which takes the place of the codes.
at::Tensor toPanels(const at::Tensor& codes) {
  const std::int64_t rows = codes.size(0), columns = codes.size(1);
  const at::Tensor padded = at::constant_pad_nd(codes, {0, roundUp(columns, panelDepth) - columns, 0, roundUp(rows, panelRows) - rows});
  const at::Tensor panels = padded.view({-1, panelRows, padded.size(1) / panelDepth, panelDepth}).permute({0, 2, 1, 3}).contiguous();
  return panels.view(at::kByte).bitwise_xor_(128);
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

// Torch's bf16 product where it is fast, else in fp32: both round the sum once.
at::Tensor addProduct(const at::Tensor& y, const at::Tensor& x, const at::Tensor& weight) {
  if (!y.device().is_cpu() || hasBf16Gemm()) return at::addmm(y, x, weight.t());
  return at::addmm(y.to(at::kFloat), x.to(at::kFloat), weight.to(at::kFloat).t()).to(at::kBFloat16);
}

// Activations as rows of int8.
struct Activations {
  at::Tensor codes, scales, sums, outliers;  // (M, 4·depth) i8, (M) f32, (M) i32, (K) u8
};

Activations quantize(const at::Tensor& x, float threshold) {
  const std::int64_t rows = x.size(0), columns = x.size(1), stride = roundUp(columns, panelDepth);
  Activations a{at::zeros({rows, stride}, at::kChar), at::empty({rows}, at::kFloat), at::empty({rows}, at::kInt), at::zeros({columns}, at::kByte)};
  const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
  auto* codes = a.codes.mutable_data_ptr<std::int8_t>();
  auto* scales = a.scales.mutable_data_ptr<float>();
  auto* sums = a.sums.mutable_data_ptr<std::int32_t>();
  auto* outliers = a.outliers.mutable_data_ptr<std::uint8_t>();
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 15) / columns);
  at::parallel_for(0, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) scales[row] = int8Kernels().rowScale(from + row * columns, columns, threshold, outliers);
  });
  // Only now are all outlier columns known: one large value empties its column in every row.
  at::parallel_for(0, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      sums[row] = int8Kernels().quantizeRow(from + row * columns, columns, scales[row], outliers, codes + row * stride);
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
    const at::Tensor added = bias().defined() ? bias().to(at::kFloat) : at::Tensor();
    const Activations a = quantize(x, threshold_);
    const at::Tensor out = at::empty({x.size(0), outFeatures()}, x.options());
    const Int8Product product{a.codes.const_data_ptr<std::int8_t>(), a.scales.const_data_ptr<float>(),
                              a.sums.const_data_ptr<std::int32_t>(), panels.const_data_ptr<std::uint8_t>(), scales.const_data_ptr<float>(),
                              added.defined() ? added.const_data_ptr<float>() : nullptr, static_cast<Bf16*>(out.mutable_data_ptr()),
                              x.size(0), panels.size(1), outFeatures()};
    constexpr std::int64_t together = 4;  // panels that the kernel takes at once
    at::parallel_for(0, roundUp(panels.size(0), together) / together, 1, [&](std::int64_t begin, std::int64_t end) {
      int8Kernels().product(product, begin * together, std::min(end * together, panels.size(0)));
    });
    const at::Tensor which = a.outliers.nonzero().flatten();
    return which.numel() ? addProduct(out, x.index_select(1, which), columnsOf(panels, scales, which)) : out;
  }

  // bitsandbytes' own operations, for devices without kernels here.
  at::Tensor multiplyElsewhere(const at::Tensor& x) const override {
    const at::Tensor& codes = weight().part("");
    const at::Tensor half = x.to(at::kHalf);
    const at::Tensor large = threshold_ > 0 ? half.abs().ge(threshold_) : at::zeros_like(half, at::kBool);
    const at::Tensor which = large.any(0).nonzero().flatten();
    const at::Tensor rest = half.masked_fill(large, 0);
    const at::Tensor scales = rest.abs().amax(1).to(at::kFloat).view({-1, 1});
    const at::Tensor rows = (rest * (scales.reciprocal() * 127)).round().nan_to_num(0).index_fill(1, which, 0);
    const at::Tensor sums = at::matmul(rows.to(at::kDouble), codes.to(at::kDouble).t()).to(at::kFloat);  // exact in fp64
    at::Tensor y = sums * (scales * weight().part("SCB").view({1, -1})) * int8Unscale;
    if (bias().defined()) y = y + bias();
    y = y.to(at::kBFloat16);
    if (which.numel() == 0) return y;
    return addProduct(y, x.index_select(1, which), dequantize(codes.index_select(1, which), weight().part("SCB")));
  }

 private:
  float threshold_;
};

}  // namespace

QuantizedTensor BnbInt8::pack(const at::Tensor& weight) const {
  const at::Tensor half = checkedWeight(checkedWeight(weight, at::kBFloat16), at::kHalf);
  const at::Tensor scales = half.abs().amax(1).to(at::kFloat);
  const at::Tensor codes = (half * (scales.reciprocal() * 127).view({-1, 1})).round_().nan_to_num_(0).to(at::kChar);
  return {name_, half.sizes().vec(), at::kBFloat16, {{"", codes}, {"SCB", scales}}};
}

at::Tensor BnbInt8::unpack(const QuantizedTensor& packed) const { return dequantize(packed.part(""), packed.part("SCB")); }

std::unique_ptr<Linear> BnbInt8::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  if (weight.part("").device().is_cpu()) weight.parts = {{"", toPanels(weight.part(""))}, {"SCB", weight.part("SCB")}};
  return std::make_unique<BnbInt8Linear>(*this, options_.threshold, std::move(weight), std::move(bias));
}

}  // namespace quantspot::quant
