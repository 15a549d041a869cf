#include "quant/bnb_4bit.h"

#include "quant/checks.h"
#include "quant/double_quant.h"
#include "quant/expand.h"
#include "quant/packed_linear.h"

#include <algorithm>

namespace quantspot::quant {
namespace {

FourBitMap makeMap(const std::array<float, 16>& values, const std::array<std::uint8_t, 16>& order) {
  FourBitMap map{values, order, {}};
  for (int i = 0; i < 15; ++i) map.bounds[i] = (values[order[i]] + values[order[i + 1]]) / 2;
  return map;
}

// Scales first … first+count−1 of a packed weight.
at::Tensor scalesOf(const QuantizedTensor& packed, std::int64_t first, std::int64_t count) {
  const at::Tensor& absmax = packed.part("absmax");
  if (absmax.scalar_type() == at::kFloat) return absmax.narrow(0, first, count);
  return recoverScales({absmax, packed.part("nested_absmax"), packed.part("nested_offset")}, first, count);
}

// Fills `to` (any shape) with the weight's values from element `begin` on; CPU.
void expand(const QuantizedTensor& packed, const FourBitMap& map, std::int64_t begin, const at::Tensor& to) {
  const std::int64_t firstBlock = begin / blockOf4Bit, within = begin % blockOf4Bit;
  const at::Tensor scales = scalesOf(packed, firstBlock, (within + to.numel() + blockOf4Bit - 1) / blockOf4Bit);
  const auto* codes = packed.part("").const_data_ptr<std::uint8_t>() + firstBlock * (blockOf4Bit / 2);
  const auto* absmax = scales.const_data_ptr<float>();
  expandInto(to, [&](std::int64_t first, std::int64_t count, auto* out) {
    if constexpr (sizeof(*out) == sizeof(Bf16))
      kernels().nibblesToBf16(codes, within + first, count, map.values.data(), absmax, out);
    else
      kernels().nibblesToFp32(codes, within + first, count, map.values.data(), absmax, out);
  });
}

class FourBitLinear final : public TiledLinear {
 public:
  FourBitLinear(const Quantizer& owner, const FourBitMap& map, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : TiledLinear(owner, std::move(weight), std::move(bias)), map_(map) {}

 protected:
  void expandRows(std::int64_t begin, const at::Tensor& to) const override { expand(weight(), map_, begin * inFeatures(), to); }

  // Scales in 8 bits are recovered with torch, tile by tile.
  bool hasPieces() const override { return weight().parts.size() == 2; }
  PackedRows packedRows() const override { return {static_cast<const std::uint8_t*>(weight().part("").const_data_ptr()), inFeatures() / 2}; }
  void expandPiece(const Piece& piece, float* to) const override { expandPiece(piece, kernels().nibblesToFp32, to); }
  void expandPiece(const Piece& piece, Bf16* to) const override { expandPiece(piece, kernels().nibblesToBf16, to); }

 private:
  template <class Kernel, class To>
  void expandPiece(const Piece& piece, Kernel kernel, To* to) const {
    const auto* codes = static_cast<const std::uint8_t*>(weight().part("").const_data_ptr());
    const auto* absmax = static_cast<const float*>(weight().part("absmax").const_data_ptr());
    kernel(codes, piece.row * inFeatures() + piece.column, piece.count, map_.values.data(), absmax, to);
  }

  const FourBitMap& map_;
};

// For tensors that are not on the CPU.
at::Tensor unpackWithTorch(const QuantizedTensor& packed, const FourBitMap& map) {
  const at::Tensor codes = packed.part("").flatten();
  const at::Tensor index = at::stack({codes.bitwise_right_shift(4), codes.bitwise_and(15)}, 1).flatten();
  const at::Tensor values = at::tensor(at::ArrayRef<float>(map.values), at::kFloat).to(codes.device());
  const std::int64_t count = packed.shape[0] * packed.shape[1];
  const std::int64_t blocks = (count + blockOf4Bit - 1) / blockOf4Bit;
  const at::Tensor scales = scalesOf(packed, 0, blocks).repeat_interleave(blockOf4Bit).narrow(0, 0, count);
  return (values.index_select(0, index.to(at::kLong)).narrow(0, 0, count) * scales).to(packed.dtype).view(packed.shape);
}

}  // namespace

const FourBitMap& nf4Map() {
  static const FourBitMap map = makeMap(
      {-0x1p+0, -0x1.647362p-1, -0x1.0cd66p-1, -0x1.94654p-2, -0x1.23449ap-2, -0x1.7a6a7ep-3, -0x1.74f0e2p-4, 0, 0x1.45f5fep-4,
       0x1.4995c6p-3, 0x1.f809bap-3, 0x1.5a0674p-2, 0x1.c34970p-2, 0x1.200f56p-1, 0x1.722766p-1, 0x1p+0},
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  return map;
}

const FourBitMap& fp4Map() {
  // By bit pattern; 0 has two codes, of which small positive values get the second.
  static const FourBitMap map = makeMap({0, 0x1.555556p-8, 0x1.555556p-1, 1, 0x1.555556p-2, 0.5, 0x1.555556p-3, 0.25, 0, -0x1.555556p-8,
                                         -0x1.555556p-1, -1, -0x1.555556p-2, -0.5, -0x1.555556p-3, -0.25},
                                        {11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3});
  return map;
}

QuantizedTensor Bnb4Bit::pack(const at::Tensor& weight) const {
  const at::Tensor checked = checkedWeight(weight, at::kBFloat16), source = checked.cpu();
  const std::int64_t count = source.numel(), blocks = (count + blockOf4Bit - 1) / blockOf4Bit;
  const at::Tensor codes = at::empty({(count + 1) / 2, 1}, at::kByte), absmax = at::empty({blocks}, at::kFloat);
  const auto* from = static_cast<const Bf16*>(source.const_data_ptr());
  auto* to = codes.mutable_data_ptr<std::uint8_t>();
  auto* scales = absmax.mutable_data_ptr<float>();
  const FourBitMap& map = *options_.map;
  at::parallel_for(0, blocks, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t at = block * blockOf4Bit, length = std::min(blockOf4Bit, count - at);
      scales[block] = kernels().packNibbles(from + at, length, map.bounds.data(), map.order.data(), to + at / 2);
    }
  });
  QuantizedTensor packed{name_, checked.sizes().vec(), at::kBFloat16, {{"", codes}, {"absmax", absmax}}};
  if (options_.doubleQuant) {
    const DoubleScales scaled = quantizeScales(absmax);
    packed.parts = {{"", codes}, {"absmax", scaled.codes}, {"nested_absmax", scaled.absmax}, {"nested_offset", scaled.offset}};
  }
  for (auto& [name, part] : packed.parts) part = part.to(checked.device());
  return packed;
}

at::Tensor Bnb4Bit::unpack(const QuantizedTensor& packed) const {
  if (!packed.part("").device().is_cpu()) return unpackWithTorch(packed, *options_.map);
  const at::Tensor weight = at::empty(packed.shape, at::kBFloat16);
  expand(packed, *options_.map, 0, weight);
  return weight;
}

std::unique_ptr<Linear> Bnb4Bit::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  return std::make_unique<FourBitLinear>(*this, *options_.map, std::move(weight), std::move(bias));
}

}  // namespace quantspot::quant
