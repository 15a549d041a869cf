#include "engine/model/gguf_pack.h"

#include "engine/model/folder.h"
#include "quant/gguf.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {

using quant::GgmlType;

GgmlType ggmlTypeOf(std::string_view precision) {
  if (precision == "bf16") return GgmlType::BF16;
  if (precision == "fp16") return GgmlType::F16;
  if (precision == "fp32") return GgmlType::F32;
  const auto known = std::ranges::find(quant::ggmlTypes, precision, &quant::GgmlTypeInfo::id);
  if (known == quant::ggmlTypes.end()) throw ModelError(fmt::format("{} cannot be written to a GGUF file; use gguf-*, bf16, fp16 or fp32", precision));
  return known->type;
}

at::Tensor packedAs(GgmlType type, const at::Tensor& weight, const std::string& where) {
  try {
    switch (type) {
      case GgmlType::F32: return quant::quantizer("fp32").pack(weight).part("");
      case GgmlType::F16: return quant::quantizer("fp16").pack(weight).part("");
      case GgmlType::BF16: return quant::quantizer("bf16").pack(weight).part("");
      default: return quant::ggufQuantizer(type).pack(weight).part("");
    }
  } catch (const std::invalid_argument& error) {   // the weight, not the program, is at fault
    throw ModelError(fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace quantspot::model
