// Weights of 8 bits with one scale per row, multiplied without touching the activations.
#pragma once

#include "quant/flat_tiles.h"

namespace quantspot::quant {

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
};

// bf16(bf16(x·weight) + bias), where the weight is bf16(code · scale).
class ScaledRows final : public FlatTiles<ScaledRows> {
 public:
  // `scale` names the part with the row scales: (out, 1) of f32 or bf16.
  ScaledRows(const Quantizer& owner, std::string_view scale, QuantizedTensor weight, std::optional<at::Tensor> bias);

  template <class To>
  void expandFlat(std::int64_t first, std::int64_t count, To* to) const;

 private:
  float scaleOf(std::int64_t row) const;

  const void* scales_;
  bool bf16Scales_;
};

}  // namespace quantspot::quant
