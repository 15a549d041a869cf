#include "quant/scaled_rows.h"

#include "quant/device_products.h"
#include "quant/kernels/rounding.h"
#include "quant/torchao_fp8.h"

#include <ATen/ATen.h>

namespace quantspot::quant {
namespace {

void scaleRun(Bf16* values, std::int64_t count, float scale) { kernels().scaleBf16(values, count, scale); }
void scaleRun(float* values, std::int64_t count, float scale) { kernels().scaleFp32(values, count, scale); }

}  // namespace

at::Tensor unpackOnDevice(const QuantizedTensor& packed, std::string_view scale) {
  const at::Tensor& codes = packed.part("");
  const DeviceProducts* products = deviceProducts(codes);
  return products ? products->expand(byteWeight(packed, scale), 0, packed.shape[0], codes.options().dtype(at::kBFloat16)) : at::Tensor();
}

void expandCodes(const at::Tensor& codes, std::int64_t first, std::int64_t count, Bf16* to) {
  const auto* bytes = static_cast<const std::uint8_t*>(codes.const_data_ptr()) + first;
  if (codes.scalar_type() == at::kChar)
    kernels().signedToBf16(reinterpret_cast<const std::int8_t*>(bytes), count, to);
  else
    kernels().bytesToBf16(bytes, count, e4m3Values().data(), to);
}

void expandCodes(const at::Tensor& codes, std::int64_t first, std::int64_t count, float* to) {
  const auto* bytes = static_cast<const std::uint8_t*>(codes.const_data_ptr()) + first;
  if (codes.scalar_type() == at::kChar)
    kernels().signedToFp32(reinterpret_cast<const std::int8_t*>(bytes), count, to);
  else
    kernels().bytesToFp32(bytes, count, e4m3Values().data(), to);
}

ScaledRows::ScaledRows(const Quantizer& owner, std::string_view scale, QuantizedTensor weight, std::optional<at::Tensor> bias)
    : FlatTiles(owner, std::move(weight), std::move(bias)), scale_(scale), scales_(this->weight().part(scale).const_data_ptr()),
      bf16Scales_(this->weight().part(scale).scalar_type() == at::kBFloat16) {}

float ScaledRows::scaleOf(std::int64_t row) const {
  return bf16Scales_ ? widen(static_cast<const Bf16*>(scales_)[row]) : static_cast<const float*>(scales_)[row];
}

template <class To>
void ScaledRows::expandFlat(std::int64_t first, std::int64_t count, To* to) const {
  expandCodes(weight().part(""), first, count, to);
  forRuns(first, count, inFeatures(), to, [&](std::int64_t row, std::int64_t, std::int64_t here, To* out) { scaleRun(out, here, scaleOf(row)); });
}

template void ScaledRows::expandFlat(std::int64_t, std::int64_t, Bf16*) const;
template void ScaledRows::expandFlat(std::int64_t, std::int64_t, float*) const;

}  // namespace quantspot::quant
