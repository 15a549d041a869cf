#include "quant/quanto_bits.h"

#include "quant/checks.h"
#include "quant/device_products.h"
#include "quant/device_weights.h"
#include "quant/divided.h"
#include "quant/int4_groups.h"
#include "quant/pieces.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::quant {
namespace {

constexpr std::int64_t largestGroup = 128, smallestGroup = 32;

// The elements that share a scale, as QModuleMixin chooses them.
std::int64_t groupOf(std::int64_t width) {
  if (width <= largestGroup) return width;
  std::int64_t group = largestGroup;
  while (width % group != 0 && group > smallestGroup) group -= smallestGroup;
  return width % group == 0 ? group : width;
}

bool hasMidpoints(const QuantizedTensor& packed) { return packed.parts[1].first == "_scale_shift"; }

// The matrix of groups (G, group) of a packed weight.
struct Fields {
  std::int64_t group, packedRows;
  int bits;
  const std::uint8_t* bytes;

  Fields(const QuantizedTensor& packed, int width)
      : group(groupOf(packed.shape[1])), packedRows(packed.part("").size(0)), bits(width), bytes(packed.part("").const_data_ptr<std::uint8_t>()) {}

  // Each byte serves rows that lie far apart.
  TiledLinear::PackedRows rows(std::int64_t width) const { return {bytes, width, std::max<std::int64_t>(1, packedRows * group / width)}; }

  // Elements first … first+count−1 of the weight; table(group) gives the values of the codes.
  template <class Table, class To>
  void expand(std::int64_t first, std::int64_t count, Table&& table, To* to) const {
    forRuns(first, count, group, to, table, [&](const FieldTable& values, std::int64_t row, std::int64_t within, std::int64_t here, To* out) {
      const auto shift = static_cast<int>(row / packedRows) * bits;
      expandFields(bytes + row % packedRows * group + within, here, shift, (1 << bits) - 1, values, out);
    });
  }
};

const Bf16* numbers(const QuantizedTensor& packed, std::string_view part) { return static_cast<const Bf16*>(packed.part(part).const_data_ptr()); }

class Shifted final : public FlatTiles<Shifted> {
 public:
  Shifted(const Quantizer& owner, int bits, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : FlatTiles(owner, std::move(weight), std::move(bias)), fields_(this->weight(), bits), scales_(numbers(this->weight(), "_scale")),
        shifts_(numbers(this->weight(), "_shift")) {}

  template <class To>
  void expandFlat(std::int64_t first, std::int64_t count, To* to) const {
    fields_.expand(first, count, [&](std::int64_t group) {
      const float scale = widen(scales_[group]), shift = widen(shifts_[group]);
      FieldTable table{};
      for (int code = 0; code < 1 << fields_.bits; ++code)
        table[code] = widen(roundToBf16(widen(roundToBf16(static_cast<float>(code) * scale)) - shift));
      return table;
    }, to);
  }

 protected:
  PackedRows packedRows() const override { return fields_.rows(inFeatures()); }
  std::optional<DeviceWeight> deviceWeight() const override { return fieldsWeight(weight(), fields_.bits); }

 private:
  Fields fields_;
  const Bf16 *scales_, *shifts_;
};

class Midpoints final : public Int4Groups<Midpoints> {
 public:
  Midpoints(const Quantizer& owner, QuantizedTensor weight, std::optional<at::Tensor> bias)
      : Int4Groups(owner, std::move(weight), std::move(bias)), fields_(this->weight(), 4), pairs_(numbers(this->weight(), "_scale_shift")) {}

  template <class To>
  void expandFlat(std::int64_t first, std::int64_t count, To* to) const {
    const std::int64_t perRow = inFeatures() / fields_.group;
    fields_.expand(first, count, [&](std::int64_t group) {
      const Bf16* pair = pairs_ + (group % perRow * outFeatures() + group / perRow) * 2;
      return midpointTable(pair[0], pair[1]);
    }, to);
  }

 protected:
  PackedRows packedRows() const override { return fields_.rows(inFeatures()); }
  std::optional<DeviceWeight> deviceWeight() const override { return fieldsWeight(weight(), fields_.bits); }

 private:
  Fields fields_;
  const Bf16* pairs_;
};

}  // namespace

QuantizedTensor QuantoBits::pack(const at::Tensor& weight) const {
  return packGroups(weight, bits_ == 4 && weight.dim() == 2 && weight.size(1) > largestGroup && weight.size(1) % largestGroup == 0);
}

QuantizedTensor QuantoBits::packConvolution(const at::Tensor& weight) const { return packGroups(weight.flatten(1), false); }

QuantizedTensor QuantoBits::packGroups(const at::Tensor& weight, bool midpoints) const {
  const std::int64_t group = weight.dim() == 2 ? groupOf(weight.size(1)) : 0;
  const QuantizedTensor fields = packByRows(weight, [&](const at::Tensor& some) -> QuantizedTensor {
    const at::Tensor groups = checkedWeight(some, at::kBFloat16).view({-1, group});
    const at::Tensor low = groups.amin(1, true), shift = -low;
    const double highest = (1 << bits_) - 1;
    const at::Tensor scale = dividedBy(groups.amax(1, true) - low, highest);
    const at::Tensor codes = ((groups + shift) / scale).round_().nan_to_num_(0, highest, 0).clamp_(0, highest).to(at::kByte);
    return {name_, {}, at::kBFloat16, {{"", codes}, {"scale", scale}, {"low", low}}};
  });
  const at::Tensor &codes = fields.part(""), &scale = fields.part("scale"), &low = fields.part("low"), shift = -low;
  const std::int64_t rows = weight.size(0), columns = weight.size(1);

  // Each byte holds groups from parts of the weight that lie as far apart as can be.
  const std::int64_t perByte = 8 / bits_, packedRows = (codes.size(0) + perByte - 1) / perByte;
  at::Tensor packed = codes.narrow(0, 0, packedRows).clone();
  for (std::int64_t i = 1; i < perByte; ++i) {
    const std::int64_t first = i * packedRows, count = std::min(packedRows, codes.size(0) - first);
    if (count > 0) packed.narrow(0, 0, count).bitwise_or_(codes.narrow(0, first, count).bitwise_left_shift(bits_ * i));
  }

  QuantizedTensor result{name_, {rows, columns}, at::kBFloat16, {{"", packed}, {"_scale", scale}, {"_shift", shift}}};
  if (!midpoints) return result;
  const at::Tensor middle = low + scale * 8.0;
  const at::Tensor pairs = at::cat({scale.view({rows, -1, 1}), middle.view({rows, -1, 1})}, 2).transpose(0, 1).contiguous();
  result.parts = {{"", packed}, {"_scale_shift", pairs}};
  return result;
}

at::Tensor QuantoBits::codes(const QuantizedTensor& packed) const {
  const at::Tensor& bytes = packed.part("");
  std::vector<at::Tensor> fields;
  for (int shift = 0; shift < 8; shift += bits_) fields.push_back(bytes.bitwise_right_shift(shift).bitwise_and((1 << bits_) - 1));
  const std::int64_t groups = packed.shape[0] * packed.shape[1] / bytes.size(1);
  return at::cat(fields).narrow(0, 0, groups).reshape(packed.shape);
}

at::Tensor QuantoBits::unpack(const QuantizedTensor& packed) const {
  const auto stored = onDisk("", packed);  // with a shift in either form
  const at::Tensor &scale = stored[1].second, &shift = stored[2].second;
  if (const DeviceProducts* products = deviceProducts(packed.part(""))) {
    const QuantizedTensor shifted{packed.precision, packed.shape, packed.dtype, {packed.parts[0], {"_scale", scale}, {"_shift", shift}}};
    return products->expand(fieldsWeight(shifted, bits_), 0, packed.shape[0], scale.options());
  }
  return (codes(packed).view({scale.size(0), -1}) * scale - shift).view(packed.shape);
}

std::unique_ptr<Linear> QuantoBits::linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const {
  if (bias) bias = bias->to(at::kBFloat16);
  if (hasMidpoints(weight)) return std::make_unique<Midpoints>(*this, std::move(weight), std::move(bias));
  return std::make_unique<Shifted>(*this, bits_, std::move(weight), std::move(bias));
}

std::vector<std::pair<std::string, at::Tensor>> QuantoBits::onDisk(const std::string& layer, const QuantizedTensor& packed) const {
  const at::Tensor one = at::ones({}, at::kBFloat16);
  at::Tensor scale, shift;
  if (hasMidpoints(packed)) {
    const at::Tensor pairs = packed.part("_scale_shift").transpose(0, 1);
    scale = pairs.select(2, 0).reshape({-1, 1});
    shift = scale * 8.0 - pairs.select(2, 1).reshape({-1, 1});
  } else {
    scale = packed.part("_scale");
    shift = packed.part("_shift");
  }
  return {{layer + ".weight._data._data", packed.part("")}, {layer + ".weight._scale", scale}, {layer + ".weight._shift", shift},
          {layer + ".input_scale", one}, {layer + ".output_scale", one}};
}

}  // namespace quantspot::quant
