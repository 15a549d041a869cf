#include "quant/bnb_4bit.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/device_weights.h"
#include "quant/double_quant.h"
#include "quant/expand.h"
#include "quant/kernels/int8.h"
#include "quant/packed_linear.h"

#include <algorithm>

namespace quantspot::quant {
namespace {

constexpr float smallestScale = 1e-38f;  // what a block of zeros is divided by

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

// One scale for every 64 elements, from the element block · 64 on.
at::Tensor scalesOfParts(const QuantizedTensor& packed, std::int64_t block, std::int64_t first, std::int64_t count) {
  const std::int64_t parts = block / blockOf4Bit;
  if (parts == 1) return scalesOf(packed, first, count);
  const std::int64_t begin = first / parts, end = (first + count + parts - 1) / parts;
  return scalesOf(packed, begin, end - begin).repeat_interleave(parts).narrow(0, first - begin * parts, count);
}

// Fills `to` (any shape) with the weight's values from element `begin` on; CPU.
void expand(const QuantizedTensor& packed, const Bnb4BitOptions& options, std::int64_t begin, const at::Tensor& to) {
  const std::int64_t firstPart = begin / blockOf4Bit, within = begin % blockOf4Bit;
  const at::Tensor scales = scalesOfParts(packed, options.block, firstPart, (within + to.numel() + blockOf4Bit - 1) / blockOf4Bit);
  const auto* codes = packed.part("").const_data_ptr<std::uint8_t>() + firstPart * (blockOf4Bit / 2);
  const auto* absmax = scales.const_data_ptr<float>();
  const float* values = options.map->values.data();
  expandInto(to, [&](std::int64_t first, std::int64_t count, auto* out) {
    if constexpr (sizeof(*out) == sizeof(Bf16))
      kernels().nibblesToBf16(codes, within + first, count, values, absmax, out);
    else
      kernels().nibblesToFp32(codes, within + first, count, values, absmax, out);
  });
}

// The map of double quantization where the parts are; undefined without it.
at::Tensor nestedMapFor(const QuantizedTensor& packed) {
  const at::Tensor& absmax = packed.part("absmax");
  return absmax.scalar_type() == at::kFloat ? at::Tensor() : dynamicMap().to(absmax.device());
}

class FourBitLinear final : public TiledLinear {
 public:
  FourBitLinear(const Quantizer& owner, const Bnb4BitOptions& options, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : TiledLinear(owner, std::move(weight), std::move(bias)), options_(options), nestedMap_(nestedMapFor(this->weight())) {}

 protected:
  std::optional<DeviceWeight> deviceWeight() const override { return fourBitWeight(weight(), *options_.map, options_.block, nestedMap_); }
  void expandRows(std::int64_t begin, const at::Tensor& to) const override { expand(weight(), options_, begin * inFeatures(), to); }

  bool hasPieces() const override { return true; }
  PackedRows packedRows() const override { return {static_cast<const std::uint8_t*>(weight().part("").const_data_ptr()), inFeatures() / 2}; }
  void expandPiece(const Piece& piece, float* to) const override { expandPiece(piece, kernels().nibblesToFp32, to); }
  void expandPiece(const Piece& piece, Bf16* to) const override { expandPiece(piece, kernels().nibblesToBf16, to); }

 private:
  // Some elements at a time: those whose scales are recovered on the stack.
  template <class Kernel, class To>
  void expandPiece(const Piece& piece, Kernel kernel, To* to) const {
    const auto* codes = static_cast<const std::uint8_t*>(weight().part("").const_data_ptr());
    const float* values = options_.map->values.data();
    const std::int64_t begin = piece.row * inFeatures() + piece.column;
    if (const float* absmax = plainScales()) return kernel(codes, begin, piece.count, values, absmax, to);
    constexpr std::int64_t together = 2048;
    float scales[together / blockOf4Bit + 1];
    for (std::int64_t done = 0; done < piece.count; done += together) {
      const std::int64_t count = std::min(together, piece.count - done), part = (begin + done) / blockOf4Bit, within = (begin + done) % blockOf4Bit;
      fillScales(part, (within + count + blockOf4Bit - 1) / blockOf4Bit, scales);
      kernel(codes + part * (blockOf4Bit / 2), within, count, values, scales, to + done);
    }
  }

  // One for every 64 elements as they lie in memory; null: they are in 8 bits, or of larger blocks.
  const float* plainScales() const {
    const at::Tensor& absmax = weight().part("absmax");
    return absmax.scalar_type() == at::kFloat && options_.block == blockOf4Bit ? static_cast<const float*>(absmax.const_data_ptr()) : nullptr;
  }

  // Of 64 elements each, from number `first` on; in recoverScales()' order of rounding.
  void fillScales(std::int64_t first, std::int64_t count, float* to) const {
    constexpr std::int64_t nestedBlock = 256;
    const std::int64_t parts = options_.block / blockOf4Bit;
    const at::Tensor& absmax = weight().part("absmax");
    if (absmax.scalar_type() == at::kFloat) {
      const auto* from = static_cast<const float*>(absmax.const_data_ptr());
      for (std::int64_t i = 0; i < count; ++i) to[i] = from[(first + i) / parts];
      return;
    }
    const auto* codes = static_cast<const std::uint8_t*>(absmax.const_data_ptr());
    const auto* nested = static_cast<const float*>(weight().part("nested_absmax").const_data_ptr());
    const auto* map = static_cast<const float*>(nestedMap_.const_data_ptr());
    const float offset = *static_cast<const float*>(weight().part("nested_offset").const_data_ptr());
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t scale = (first + i) / parts;
      to[i] = map[codes[scale]] * nested[scale / nestedBlock] + offset;
    }
  }

  Bnb4BitOptions options_;
  at::Tensor nestedMap_;
};

// For tensors that are not on the CPU.
at::Tensor unpackWithTorch(const QuantizedTensor& packed, const Bnb4BitOptions& options) {
  const at::Tensor codes = packed.part("").flatten();
  const at::Tensor index = at::stack({codes.bitwise_right_shift(4), codes.bitwise_and(15)}, 1).flatten();
  const at::Tensor values = at::tensor(at::ArrayRef<float>(options.map->values), at::kFloat).to(codes.device());
  const std::int64_t count = packed.shape[0] * packed.shape[1];
  const std::int64_t blocks = (count + options.block - 1) / options.block;
  const at::Tensor scales = scalesOf(packed, 0, blocks).repeat_interleave(options.block).narrow(0, 0, count);
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
  const std::int64_t count = source.numel(), blocks = (count + options_.block - 1) / options_.block;
  const at::Tensor codes = at::empty({(count + 1) / 2, 1}, at::kByte), absmax = at::empty({blocks}, at::kFloat);
  const auto* from = static_cast<const Bf16*>(source.const_data_ptr());
  auto* to = codes.mutable_data_ptr<std::uint8_t>();
  auto* scales = absmax.mutable_data_ptr<float>();
  const FourBitMap& map = *options_.map;
  at::parallel_for(0, blocks, std::max<std::int64_t>(1, (1 << 14) / options_.block), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = block * options_.block, length = std::min(options_.block, count - first);
      const float absmax = int8Kernels().largest(from + first, length), safe = std::max(absmax, smallestScale);
      const bool whole = length == options_.block;
      scales[block] = whole ? absmax : safe;
      for (std::int64_t at = first; at < first + length; at += blockOf4Bit)
        kernels().packNibbles(from + at, std::min(blockOf4Bit, first + length - at), safe, whole, map.bounds.data(), map.order.data(), to + at / 2);
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
  const at::Tensor& codes = packed.part("");
  if (const DeviceProducts* products = deviceProducts(codes)) {
    const at::Tensor nestedMap = nestedMapFor(packed);
    const DeviceWeight weight = fourBitWeight(packed, *options_.map, options_.block, nestedMap);
    return products->expand(weight, 0, packed.shape[0], codes.options().dtype(at::kBFloat16));
  }
  if (!codes.device().is_cpu()) return unpackWithTorch(packed, options_);
  const at::Tensor weight = at::empty(packed.shape, at::kBFloat16);
  expand(packed, options_, 0, weight);
  return weight;
}

std::unique_ptr<Linear> Bnb4Bit::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  return std::make_unique<FourBitLinear>(*this, options_, std::move(weight), std::move(bias));
}

std::unique_ptr<Quantizer> Bnb4Bit::with(std::string_view option, std::string_view value) const {
  if (option != "blocksize") return Quantizer::with(option, value);
  const std::string base = name_.substr(0, name_.find('?'));
  Bnb4BitOptions changed = options_;
  changed.block = choose(base, option, value, {64, 128, 256, 512, 1024, 2048, 4096});
  return std::make_unique<Bnb4Bit>(changed.block == 64 ? base : base + "?blocksize=" + std::to_string(changed.block), changed);
}

}  // namespace quantspot::quant
