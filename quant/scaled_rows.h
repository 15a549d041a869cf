// Weights of 8 bits with one scale per row, multiplied without touching the activations.
#pragma once

#include "quant/device_weights.h"
#include "quant/flat_tiles.h"

namespace quantspot::quant {

// The weight bf16(code · scale) of parts "" and `scale` on a device with kernels; undefined elsewhere.
at::Tensor unpackOnDevice(const QuantizedTensor& packed, std::string_view scale);

// Elements first … first+count−1 of the codes of a weight's part "" (i8 or e4m3fn), exactly; without torch.
void expandCodes(const at::Tensor& codes, std::int64_t first, std::int64_t count, Bf16* to);
void expandCodes(const at::Tensor& codes, std::int64_t first, std::int64_t count, float* to);

// Layers that multiply the codes themselves.
class CodeTiles : public FlatTiles<CodeTiles> {
 public:
  using FlatTiles::FlatTiles;

  template <class To>
  void expandFlat(std::int64_t first, std::int64_t count, To* to) const {
    expandCodes(weight().part(""), first, count, to);
  }

 protected:
  int bf16Parts() const override { return 1; }
  std::optional<DeviceWeight> deviceWeight() const override { return byteWeight(weight()); }
};

// bf16(bf16(x·weight) + bias), where the weight is bf16(code · scale).
class ScaledRows final : public FlatTiles<ScaledRows> {
 public:
  // `scale` names the part with the row scales: (out, 1) of f32 or bf16.
  ScaledRows(const Quantizer& owner, std::string_view scale, QuantizedTensor weight, std::optional<at::Tensor> bias);

  template <class To>
  void expandFlat(std::int64_t first, std::int64_t count, To* to) const;

 protected:
  std::optional<DeviceWeight> deviceWeight() const override { return byteWeight(weight(), scale_); }

 private:
  float scaleOf(std::int64_t row) const;

  std::string scale_;
  const void* scales_;
  bool bf16Scales_;
};

}  // namespace quantspot::quant
