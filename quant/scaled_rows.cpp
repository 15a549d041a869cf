#include "quant/scaled_rows.h"

#include "quant/expand.h"
#include "quant/torchao_fp8.h"

#include <ATen/ATen.h>

namespace quantspot::quant {

void expandCodes(const QuantizedTensor& packed, std::int64_t begin, const at::Tensor& to) {
  const at::Tensor& part = packed.part("");
  const auto* bytes = static_cast<const std::uint8_t*>(part.const_data_ptr()) + begin * packed.shape[1];
  const auto* numbers = reinterpret_cast<const std::int8_t*>(bytes);
  const bool integers = part.scalar_type() == at::kChar;
  const Bf16* table = e4m3Values().data();
  expandInto(to, [&](std::int64_t first, std::int64_t count, auto* out) {
    if constexpr (sizeof(*out) == sizeof(Bf16))
      integers ? kernels().signedToBf16(numbers + first, count, out) : kernels().bytesToBf16(bytes + first, count, table, out);
    else
      integers ? kernels().signedToFp32(numbers + first, count, out) : kernels().bytesToFp32(bytes + first, count, table, out);
  });
}

void ScaledRows::expandRows(std::int64_t begin, const at::Tensor& to) const {
  expandCodes(weight(), begin, to);
  const at::Tensor scales = weight().part(scale_).narrow(0, begin, to.size(0)).to(at::kFloat);
  const auto* scale = scales.const_data_ptr<float>();
  forRuns(to, inFeatures(), [&](std::int64_t row, std::int64_t, std::int64_t count, auto* out) {
    if constexpr (sizeof(*out) == sizeof(Bf16))
      kernels().scaleBf16(out, count, scale[row]);
    else
      kernels().scaleFp32(out, count, scale[row]);
  });
}

at::Tensor ScaledRows::multiplyTile(const at::Tensor& x, const at::Tensor& rows, std::int64_t begin) const {
  return roundThenAdd(timesRows(x, rows), biasRows(begin, rows.size(0)));
}

at::Tensor roundThenAdd(const at::Tensor& y, const at::Tensor& bias) {
  const at::Tensor rounded = y.to(at::kBFloat16);
  return bias.defined() ? rounded.add(bias) : rounded;
}

}  // namespace quantspot::quant
