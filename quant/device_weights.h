// Describes packed weights to the kernels of a device: pointers into the parts, which must outlive the description.
#pragma once

#include "quant/bnb_4bit.h"
#include "quant/ggml_types.h"
#include "quant/kernels/device_weight.h"

namespace quantspot::quant {

// `nestedMap`: dynamicMap() on the device of the parts, needed for double quantization only.
DeviceWeight fourBitWeight(const QuantizedTensor& packed, const FourBitMap& map, std::int64_t block, const at::Tensor& nestedMap = {});
// Part "" of i8, e4m3fn or e5m2; `scale` names the part with a scale for each row, f32 or bf16, or is empty: the codes themselves.
DeviceWeight byteWeight(const QuantizedTensor& packed, std::string_view scale = {});
// torchao's 4 bits; groups of `group`.
DeviceWeight halvesWeight(const QuantizedTensor& packed, std::int64_t group);
// Quanto's 2 or 4 bits, with the parts "_scale" and "_shift" or "_scale_shift".
DeviceWeight fieldsWeight(const QuantizedTensor& packed, int bits);
DeviceWeight blocksWeight(const QuantizedTensor& packed, GgmlType type);

}  // namespace quantspot::quant
