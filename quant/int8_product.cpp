#include "quant/int8_product.h"

#include <ATen/ATen.h>

namespace quantspot::quant {
namespace {

std::int64_t roundUp(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

}  // namespace

at::Tensor toPanels(const at::Tensor& codes) {
  const std::int64_t rows = codes.size(0), columns = codes.size(1);
  const at::Tensor padded = at::constant_pad_nd(codes, {0, roundUp(columns, panelDepth) - columns, 0, roundUp(rows, panelRows) - rows});
  const at::Tensor panels = padded.view({-1, panelRows, padded.size(1) / panelDepth, panelDepth}).permute({0, 2, 1, 3}).contiguous();
  return panels.view(at::kByte).bitwise_xor_(128);
}

Int8Rows::Int8Rows(std::int64_t rows, std::int64_t columns)
    : codes(at::zeros({rows, roundUp(columns, panelDepth)}, at::kChar)), scales(at::ones({rows}, at::kFloat)), sums(at::empty({rows}, at::kInt)),
      grain(std::max<std::int64_t>(1, (1 << 15) / columns)) {}

at::Tensor multiplyInt8(const Int8Rows& x, const at::Tensor& panels, const at::Tensor& columnScales, const at::Tensor& bias, Int8Finish finish) {
  const bool wide = finish == Int8Finish::Fbgemm;
  const at::Tensor added = bias.defined() ? bias.to(at::kFloat) : at::Tensor();
  const at::Tensor out = at::empty({x.scales.size(0), columnScales.size(0)}, wide ? at::kFloat : at::kBFloat16);
  Int8Product product{x.codes.const_data_ptr<std::int8_t>(), x.scales.const_data_ptr<float>(), x.sums.const_data_ptr<std::int32_t>(),
                      panels.const_data_ptr<std::uint8_t>(), columnScales.const_data_ptr<float>(),
                      added.defined() ? added.const_data_ptr<float>() : nullptr, nullptr, out.size(0), panels.size(1), out.size(1), finish};
  if (wide)
    product.wide = out.mutable_data_ptr<float>();
  else
    product.out = static_cast<Bf16*>(out.mutable_data_ptr());
  constexpr std::int64_t together = 4;  // panels that the kernel takes at once
  at::parallel_for(0, roundUp(panels.size(0), together) / together, 1, [&](std::int64_t begin, std::int64_t end) {
    int8Kernels().product(product, begin * together, std::min(end * together, panels.size(0)));
  });
  return out;
}

at::Tensor integerSums(const at::Tensor& x, const at::Tensor& codes) {
  return at::matmul(x.to(at::kDouble), codes.to(at::kDouble).t()).to(at::kFloat);  // exact in fp64
}

}  // namespace quantspot::quant
