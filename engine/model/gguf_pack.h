// What one tensor becomes in a GGUF file.
#pragma once

#include "engine/model/gguf.h"

#include <string_view>

namespace quantspot::model {

quant::GgmlType ggmlTypeOf(std::string_view precision);   // throws ModelError: none that a GGUF file can hold
// The rows in this type, as quant::ggufQuantizer() packs them. Throws ModelError that begins with `where`: the weight cannot be packed.
at::Tensor packedAs(quant::GgmlType type, const at::Tensor& weight, const std::string& where);

}  // namespace quantspot::model
