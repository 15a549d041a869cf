#include "quant/fp8_layerwise.h"

#include "quant/checks.h"
#include "quant/device_weights.h"
#include "quant/expand.h"
#include "quant/packed_linear.h"
#include "quant/pieces.h"
#include "quant/policy.h"

#include <algorithm>

namespace quantspot::quant {
namespace {

class Fp8Linear final : public TiledLinear {
 public:
  Fp8Linear(const Quantizer& owner, const Bf16* table, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : TiledLinear(owner, std::move(weight), std::move(bias)), table_(table) {}

 protected:
  void expandRows(std::int64_t begin, const at::Tensor& to) const override {
    const auto* codes = static_cast<const std::uint8_t*>(weight().part("").const_data_ptr()) + begin * inFeatures();
    expandInto(to, [&](std::int64_t first, std::int64_t count, auto* out) {
      if constexpr (sizeof(*out) == sizeof(Bf16))
        kernels().bytesToBf16(codes + first, count, table_, out);
      else
        kernels().bytesToFp32(codes + first, count, table_, out);
    });
  }

  std::optional<DeviceWeight> deviceWeight() const override { return byteWeight(weight()); }
  bool hasPieces() const override { return true; }
  PackedRows packedRows() const override { return {codesOf({0, 0, 0}), inFeatures()}; }
  void expandPiece(const Piece& piece, float* to) const override { kernels().bytesToFp32(codesOf(piece), piece.count, table_, to); }
  void expandPiece(const Piece& piece, Bf16* to) const override { kernels().bytesToBf16(codesOf(piece), piece.count, table_, to); }

 private:
  const std::uint8_t* codesOf(const Piece& piece) const {
    return static_cast<const std::uint8_t*>(weight().part("").const_data_ptr()) + piece.row * inFeatures() + piece.column;
  }

  const Bf16* table_;
};

}  // namespace

Fp8Layerwise::Fp8Layerwise(std::string name, at::ScalarType storage) : name_(std::move(name)), storage_(storage) {
  const at::Tensor values = at::arange(256, at::kByte).view(storage).to(at::kBFloat16);
  std::copy_n(static_cast<const Bf16*>(values.const_data_ptr()), table_.size(), table_.begin());
}

QuantizedTensor Fp8Layerwise::pack(const at::Tensor& weight) const {
  return packByRows(weight, [&](const at::Tensor& rows) -> QuantizedTensor {
    const at::Tensor checked = checkedWeight(rows, at::kBFloat16);
    return {name_, checked.sizes().vec(), at::kBFloat16, {{"", checked.to(storage_)}}};
  });
}

at::Tensor Fp8Layerwise::unpack(const QuantizedTensor& packed) const { return packed.part("").to(at::kBFloat16); }

std::unique_ptr<Linear> Fp8Layerwise::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16).to(storage_);
  return std::make_unique<Fp8Linear>(*this, table_.data(), std::move(weight), std::move(bias));
}

// DEFAULT_SKIP_MODULES_PATTERN of the hook; of the models' own patterns only PixArt's adaln_single is not in it.
bool Fp8Layerwise::skips(std::string_view layer) const {
  static constexpr std::string_view patterns[] = {"pos_embed", "patch_embed", "norm", "adaln_single", "^proj_in$", "^proj_out$"};
  return std::any_of(std::begin(patterns), std::end(patterns), [&](std::string_view pattern) { return matchesLayer(pattern, layer); });
}

}  // namespace quantspot::quant
