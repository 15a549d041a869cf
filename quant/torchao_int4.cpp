#include "quant/torchao_int4.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/device_weights.h"
#include "quant/divided.h"
#include "quant/int4_groups.h"
#include "quant/pieces.h"
#include "quant/torchao_int8.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace quantspot::quant {
namespace {

class Int4Linear final : public Int4Groups<Int4Linear> {
 public:
  Int4Linear(const Quantizer& owner, std::int64_t group, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : Int4Groups(owner, std::move(weight), std::move(bias)), group_(group), codes_(this->weight().part("").const_data_ptr<std::uint8_t>()),
        pairs_(static_cast<const Bf16*>(this->weight().part("scale_and_zero").const_data_ptr())) {}

  template <class To>
  void expandFlat(std::int64_t first, std::int64_t count, To* to) const {
    const std::int64_t perRow = inFeatures() / group_, half = group_ / 2;
    const auto tableOf = [&](std::int64_t group) {
      const Bf16* pair = pairs_ + (group % perRow * outFeatures() + group / perRow) * 2;
      return midpointTable(pair[0], pair[1]);
    };
    forRuns(first, count, group_, to, tableOf, [&](const FieldTable& table, std::int64_t group, std::int64_t within, std::int64_t here, To* out) {
      const std::int64_t low = std::clamp<std::int64_t>(half - within, 0, here);
      expandFields(codes_ + group * half + within, low, 0, 15, table, out);
      expandFields(codes_ + group * half + (within + low - half), here - low, 4, 15, table, out + low);
    });
  }

 protected:
  std::optional<DeviceWeight> deviceWeight() const override { return halvesWeight(weight(), group_); }

 private:
  std::int64_t group_;
  const std::uint8_t* codes_;
  const Bf16* pairs_;
};

}  // namespace

TorchAoInt4::TorchAoInt4(std::int64_t group)
    : name_(group == defaultGroup ? "torchao-int4wo" : "torchao-int4wo?group=" + std::to_string(group)), group_(group) {}

QuantizedTensor TorchAoInt4::pack(const at::Tensor& weight) const {
  const std::int64_t columns = weight.dim() == 2 ? weight.size(1) : 0;
  if (columns % group_ != 0)
    throw std::invalid_argument(name_ + " packs groups of " + std::to_string(group_) + ", which do not divide " + std::to_string(columns) +
                                " inputs; such a weight stays in bf16");
  QuantizedTensor packed = packByRows(weight, [&](const at::Tensor& some) -> QuantizedTensor {
    const at::Tensor checked = checkedWeight(some, at::kBFloat16);
    const std::int64_t rows = checked.size(0);
    const at::Tensor groups = checked.view({rows, columns / group_, group_});
    const at::Tensor low = groups.amin(2, true), scale = dividedBy(groups.amax(2, true) - low, 15.0).clamp_min(1e-6);
    const at::Tensor zero = low + scale * 8.0;
    const at::Tensor codes = ((groups - (zero - scale * 8.0)) / scale).round_().clamp_(0, 15).to(at::kByte);
    const auto halves = codes.view({rows, columns / group_, 2, group_ / 2}).unbind(2);
    const at::Tensor bytes = halves[0].bitwise_or(halves[1].bitwise_left_shift(4)).view({rows, columns / 2});
    return {name_, {rows, columns}, at::kBFloat16, {{"", bytes}, {"scale_and_zero", at::cat({scale, zero}, 2)}}};
  });
  at::Tensor& pairs = packed.parts[1].second;   // (out, groups, 2), as the kernel does not want it
  pairs = pairs.transpose(0, 1).contiguous();
  return packed;
}

at::Tensor TorchAoInt4::codes(const QuantizedTensor& packed) const {
  const at::Tensor bytes = packed.part("").view({packed.shape[0], packed.shape[1] / group_, group_ / 2});
  return at::cat({bytes.bitwise_and(15), bytes.bitwise_right_shift(4)}, 2).view(packed.shape);
}

at::Tensor TorchAoInt4::unpack(const QuantizedTensor& packed) const {
  if (const DeviceProducts* products = deviceProducts(packed.part("")))
    return products->expand(halvesWeight(packed, group_), 0, packed.shape[0], packed.part("scale_and_zero").options());
  const std::int64_t rows = packed.shape[0], perRow = packed.shape[1] / group_;
  const at::Tensor pairs = packed.part("scale_and_zero").transpose(0, 1).to(at::kFloat);  // (out, groups, 2)
  const at::Tensor centred = codes(packed).to(at::kFloat).sub(8).view({rows, perRow, group_});
  return (centred * pairs.narrow(2, 0, 1) + pairs.narrow(2, 1, 1)).view(packed.shape).to(at::kBFloat16);
}

std::unique_ptr<Linear> TorchAoInt4::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  return std::make_unique<Int4Linear>(*this, group_, std::move(weight), std::move(bias));
}

std::vector<std::pair<std::string, at::Tensor>> TorchAoInt4::onDisk(const std::string& layer, const QuantizedTensor& packed) const {
  QuantizedTensor written = packed;
  written.parts[0].second = at::_convert_weight_to_int4pack_for_cpu(codes(packed).to(at::kInt), 1);
  return torchAoKeys(layer, written);
}

std::vector<std::pair<std::string, at::Tensor>> TorchAoInt4::plainTensors(const std::string& layer, const QuantizedTensor& packed) const {
  // Eight less is the top bit turned over: 0 … 15 becomes −8 … 7 in two's complement.
  const auto sides = codes(packed).bitwise_xor_(8).view({packed.shape[0], packed.shape[1] / 2, 2}).unbind(2);
  const at::Tensor bytes = sides[0].bitwise_or(sides[1].bitwise_left_shift(4)).view(at::kChar), &pairs = packed.part("scale_and_zero");
  return {{layer + "._weight_qdata", bytes}, {layer + "._weight_scale", pairs.select(2, 0).contiguous()},
          {layer + "._weight_zero_point", pairs.select(2, 1).contiguous()}};
}

std::unique_ptr<Quantizer> TorchAoInt4::with(std::string_view option, std::string_view value) const {
  if (option != "group") return Quantizer::with(option, value);
  return std::make_unique<TorchAoInt4>(choose("torchao-int4wo", option, value, {32, 64, 128}));
}

}  // namespace quantspot::quant
