#include "quant/gguf.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/device_weights.h"
#include "quant/kernels/gguf.h"
#include "quant/packed_linear.h"
#include "quant/pieces.h"
#include "quant/policy.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>

namespace quantspot::quant {
namespace {

constexpr std::int64_t smallBlock = 32;

// Fills `to` (whole blocks; bf16 or fp32, contiguous on the CPU) from the blocks at `from`, with all threads.
void expandBlocks(const GgmlTypeInfo& type, const std::uint8_t* from, const at::Tensor& to) {
  constexpr std::int64_t grain = 1 << 15;
  const bool isBf16 = to.scalar_type() == at::kBFloat16;
  void* data = to.data_ptr();
  at::parallel_for(0, to.numel() / type.elements, grain / type.elements, [&](std::int64_t begin, std::int64_t end) {
    const std::uint8_t* blocks = from + begin * type.bytes;
    const std::int64_t first = begin * type.elements, count = (end - begin) * type.elements;
    if (isBf16)
      ggufKernels().toBf16(type.type, blocks, count, static_cast<Bf16*>(data) + first);
    else
      ggufKernels().toRounded(type.type, blocks, count, static_cast<float*>(data) + first);
  });
}

class GgufLinear final : public TiledLinear {
 public:
  GgufLinear(const Gguf& owner, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : TiledLinear(owner, std::move(weight), std::move(bias)), type_(owner.type()),
        bytes_(static_cast<const std::uint8_t*>(this->weight().part("").const_data_ptr())) {}

 protected:
  void expandRows(std::int64_t begin, const at::Tensor& to) const override {
    const at::Tensor& bytes = weight().part("");
    expandBlocks(type_, bytes.const_data_ptr<std::uint8_t>() + begin * bytes.size(1), to);
  }

  std::optional<DeviceWeight> deviceWeight() const override { return blocksWeight(weight(), type_.type); }
  bool hasPieces() const override { return true; }
  PackedRows packedRows() const override { return {bytes_, inFeatures() / type_.elements * type_.bytes}; }
  void expandPiece(const Piece& piece, float* to) const override { ggufKernels().toRounded(type_.type, blocksOf(piece), piece.count, to); }
  void expandPiece(const Piece& piece, Bf16* to) const override { ggufKernels().toBf16(type_.type, blocksOf(piece), piece.count, to); }

 private:
  const std::uint8_t* blocksOf(const Piece& piece) const {
    return bytes_ + (piece.row * inFeatures() + piece.column) / type_.elements * type_.bytes;
  }

  const GgmlTypeInfo& type_;
  const std::uint8_t* bytes_;   // of weight(), where it is on the CPU
};

std::string_view fallbackOf(GgmlType type) {
  switch (type) {
    case GgmlType::Q2_K:
    case GgmlType::Q3_K: return "gguf-q4_0";
    case GgmlType::Q4_K: return "gguf-q5_0";
    case GgmlType::Q5_K: return "gguf-q5_1";
    case GgmlType::Q6_K: return "gguf-q8_0";
    default: return "bf16";
  }
}

std::vector<std::unique_ptr<Gguf>> makeAll() {
  std::vector<std::unique_ptr<Gguf>> all;
  for (const GgmlTypeInfo& info : ggmlTypes)
    if (!info.id.empty()) all.push_back(std::make_unique<Gguf>(info.type));
  return all;
}

}  // namespace

QuantizedTensor Gguf::pack(const at::Tensor& weight) const {
  if (info_.type == GgmlType::IQ4_NL || info_.type == GgmlType::IQ4_XS)
    throw std::invalid_argument(std::string(info_.id) + " can be read from a GGUF file, not made; use gguf-q4_0 or gguf-q4_k");
  if (weight.dim() == 2 && weight.size(1) % info_.elements != 0)
    throw std::invalid_argument(std::string(info_.id) + " packs rows of " + std::to_string(info_.elements) + " values, which do not divide " +
                                std::to_string(weight.size(1)) + " inputs; use " + std::string(precisionFor(weight.sizes())));
  return packByRows(weight, [&](const at::Tensor& rows) { return packChecked(checkedWeight(rows, at::kBFloat16)); });
}

QuantizedTensor Gguf::packChecked(const at::Tensor& checked) const {
  const at::Tensor source = checked.to(at::kCPU, at::kFloat);
  const std::int64_t rows = source.size(0), columns = source.size(1), blocks = columns / info_.elements;
  const at::Tensor bytes = at::empty({rows, blocks * info_.bytes}, at::kByte);
  const auto* from = source.const_data_ptr<float>();
  auto* to = bytes.mutable_data_ptr<std::uint8_t>();
  std::atomic<std::int64_t> overflow = std::numeric_limits<std::int64_t>::max();   // the first row that is too large
  at::parallel_for(0, rows, std::max<std::int64_t>(1, 4096 / columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (packGgml(info_.type, from + row * columns, columns, to + row * blocks * info_.bytes)) continue;
      std::int64_t first = overflow;
      while (row < first && !overflow.compare_exchange_weak(first, row)) continue;
    }
  });
  if (overflow < rows)
    throw std::invalid_argument("weight[" + std::to_string(overflow) + "] has values up to " +
                                std::to_string(source[overflow].abs().max().item<double>()) + ", too large for the fp16 scales of " +
                                std::string(info_.id) + "; keep this layer in bf16");
  return {std::string(info_.id), checked.sizes().vec(), at::kBFloat16, {{"", bytes.to(checked.device())}}};
}

at::Tensor Gguf::unpack(const QuantizedTensor& packed) const {
  const at::Tensor& bytes = packed.part("");
  if (const DeviceProducts* products = deviceProducts(bytes))
    return products->expand(blocksWeight(packed, info_.type), 0, packed.shape[0], bytes.options().dtype(at::kBFloat16));
  const at::Tensor here = bytes.cpu(), weight = at::empty(packed.shape, at::kBFloat16);
  expandBlocks(info_, here.const_data_ptr<std::uint8_t>(), weight);
  return weight.to(bytes.device());
}

at::Tensor Gguf::values(const QuantizedTensor& packed) const {
  const at::Tensor bytes = packed.part("").cpu(), all = at::empty(packed.shape, at::kFloat);
  const std::int64_t rows = packed.shape[0], columns = packed.shape[1], rowBytes = bytes.size(1);
  const auto* from = bytes.const_data_ptr<std::uint8_t>();
  auto* to = all.mutable_data_ptr<float>();
  at::parallel_for(0, rows, std::max<std::int64_t>(1, (1 << 15) / columns), [&](std::int64_t begin, std::int64_t end) {
    ggufKernels().toFp32(info_.type, from + begin * rowBytes, (end - begin) * columns, to + begin * columns);
  });
  return all;
}

std::unique_ptr<Linear> Gguf::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  return std::make_unique<GgufLinear>(*this, std::move(weight), std::move(bias));
}

bool Gguf::skips(std::string_view layer) const {
  static constexpr std::string_view patterns[] = {"^x_embedder", "^context_embedder", "^time_text_embed.", "^norm_out.", "^proj_out$"};
  return std::any_of(std::begin(patterns), std::end(patterns), [&](std::string_view pattern) { return matchesLayer(pattern, layer); });
}

std::string_view Gguf::precisionFor(at::IntArrayRef shape) const {
  if (shape.size() != 2 || shape[1] % info_.elements == 0) return info_.id;
  return shape[1] % smallBlock == 0 ? fallbackOf(info_.type) : "bf16";
}

QuantizedTensor Gguf::adopt(at::Tensor bytes, std::vector<std::int64_t> shape) const {
  const std::int64_t rowBytes = shape.at(1) / info_.elements * info_.bytes;
  if (shape[1] % info_.elements != 0 || bytes.numel() != shape[0] * rowBytes)
    throw std::invalid_argument(std::to_string(bytes.numel()) + " bytes are no " + std::string(info_.name) + " weight of " +
                                std::to_string(shape[0]) + " x " + std::to_string(shape[1]));
  return {std::string(info_.id), shape, at::kBFloat16, {{"", bytes.view({shape[0], rowBytes})}}};
}

const Gguf& storedQuantizer(std::string_view id) {
  const auto known = std::ranges::find(ggmlTypes, id, &GgmlTypeInfo::id);
  if (id.empty() || known == ggmlTypes.end()) throw std::invalid_argument("\"" + std::string(id) + "\" is no block type of GGUF");
  return ggufQuantizer(known->type);
}

const Gguf& ggufQuantizer(GgmlType type) {
  static const std::vector<std::unique_ptr<Gguf>> all = makeAll();
  for (const auto& known : all)
    if (known->type().type == type) return *known;
  throw std::invalid_argument(std::string(ggmlType(type).name) + " is a plain type; no block format");
}

}  // namespace quantspot::quant
