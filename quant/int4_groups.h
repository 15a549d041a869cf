// Products with small codes whose values a table of 16 gives, as torch's int4 product on the CPU computes them.
#pragma once

#include "quant/flat_tiles.h"
#include "quant/kernels/rounding.h"

#include <array>

namespace quantspot::quant {

using FieldTable = std::array<float, 16>;

// (code − 8) · scale + zero in fp32; the product is exact, so that a fused multiply-add gives the same.
inline FieldTable midpointTable(Bf16 scale, Bf16 zero) {
  FieldTable table;
  for (int code = 0; code < 16; ++code) table[code] = static_cast<float>(code - 8) * widen(scale) + widen(zero);
  return table;
}

inline void expandFields(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const FieldTable& table, Bf16* to) {
  kernels().fieldsToBf16(bytes, count, shift, mask, table.data(), to);
}
inline void expandFields(const std::uint8_t* bytes, std::int64_t count, int shift, int mask, const FieldTable& table, float* to) {
  kernels().fieldsToFp32(bytes, count, shift, mask, table.data(), to);
}

// bf16(bf16(x·weight) + bias), the weight in fp32: at::_weight_int4pack_mm_for_cpu.
template <class Self>
class Int4Groups : public FlatTiles<Self> {
 public:
  using FlatTiles<Self>::FlatTiles;

 protected:
  at::ScalarType productType() const override { return at::kFloat; }
  int bf16Parts() const override { return 2; }
};

}  // namespace quantspot::quant
