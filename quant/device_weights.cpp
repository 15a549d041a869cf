#include "quant/device_weights.h"

#include <algorithm>
#include <bit>

namespace quantspot::quant {
namespace {

constexpr std::int8_t unevenLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

DeviceWeight begin(Packing packing, const QuantizedTensor& packed) {
  DeviceWeight weight;
  weight.packing = packing;
  weight.rows = packed.shape[0];
  weight.columns = packed.shape[1];
  weight.codes = static_cast<const std::uint8_t*>(packed.part("").const_data_ptr());
  return weight;
}

template <class Number>
const Number* numbers(const QuantizedTensor& packed, std::string_view part) {
  return static_cast<const Number*>(packed.part(part).const_data_ptr());
}

}  // namespace

DeviceWeight fourBitWeight(const QuantizedTensor& packed, const FourBitMap& map, std::int64_t block, const at::Tensor& nestedMap) {
  DeviceWeight weight = begin(Packing::FourBit, packed);
  std::ranges::copy(map.values, weight.table);
  weight.blockShift = std::countr_zero(static_cast<std::uint64_t>(block));
  if (packed.part("absmax").scalar_type() == at::kFloat) {
    weight.scales = numbers<float>(packed, "absmax");
    return weight;
  }
  weight.scaleCodes = numbers<std::uint8_t>(packed, "absmax");
  weight.nestedMap = nestedMap.const_data_ptr<float>();
  weight.nested = numbers<float>(packed, "nested_absmax");
  weight.offset = numbers<float>(packed, "nested_offset");
  return weight;
}

DeviceWeight byteWeight(const QuantizedTensor& packed, std::string_view scale) {
  DeviceWeight weight = begin(Packing::Bytes, packed);
  const at::ScalarType type = packed.part("").scalar_type();
  weight.byteCode = type == at::kChar ? ByteCode::Signed : type == at::kFloat8_e4m3fn ? ByteCode::E4m3 : ByteCode::E5m2;
  if (scale.empty()) return weight;
  weight.rowScale = packed.part(scale).scalar_type() == at::kFloat ? RowScale::Fp32 : RowScale::Bf16;
  weight.scales = numbers<void>(packed, scale);
  return weight;
}

DeviceWeight halvesWeight(const QuantizedTensor& packed, std::int64_t group) {
  DeviceWeight weight = begin(Packing::Halves, packed);
  weight.group = group;
  weight.pairs = numbers<std::uint16_t>(packed, "scale_and_zero");
  return weight;
}

DeviceWeight fieldsWeight(const QuantizedTensor& packed, int bits) {
  DeviceWeight weight = begin(Packing::Fields, packed);
  weight.bits = bits;
  weight.packedRows = packed.part("").size(0);
  weight.group = packed.part("").size(1);
  if (packed.parts[1].first == "_scale_shift") {
    weight.pairs = numbers<std::uint16_t>(packed, "_scale_shift");
  } else {
    weight.scales = numbers<void>(packed, "_scale");
    weight.shifts = numbers<std::uint16_t>(packed, "_shift");
  }
  return weight;
}

DeviceWeight blocksWeight(const QuantizedTensor& packed, GgmlType type) {
  DeviceWeight weight = begin(Packing::Blocks, packed);
  weight.ggml = type;
  std::ranges::copy(unevenLevels, weight.table);
  return weight;
}

}  // namespace quantspot::quant
