#include "engine/model/gguf_unet.h"

#include "engine/model/folder.h"
#include "engine/model/gguf_pack.h"
#include "engine/model/single/unet_names.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <string_view>

namespace quantspot::model {
namespace {

using quant::GgmlType;

GgmlType typeOf(const std::string& name, const std::vector<std::int64_t>& shape, const quant::Policy& policy) {
  if (shape.size() == 1) return GgmlType::F32;
  if (shape.size() != 2) return policy.precision == "fp32" ? GgmlType::F32 : policy.precision == "bf16" ? GgmlType::BF16 : GgmlType::F16;
  constexpr std::string_view kind = ".weight";
  const std::string layer = name.ends_with(kind) ? name.substr(0, name.size() - kind.size()) : name;
  return ggmlTypeOf(quant::quantizer(policy.precisionOf(layer)).precisionFor(shape));
}

at::Tensor bytesOf(const Weights& weights, const std::string& name, GgmlType type) {
  const at::Tensor value = weights.read(name);
  if (value.dim() == 2) return packedAs(type, value, fmt::format("{}: {}", weights.folder().string(), name));
  return value.to(type == GgmlType::F32 ? at::kFloat : type == GgmlType::BF16 ? at::kBFloat16 : at::kHalf).contiguous();
}

}  // namespace

std::vector<GgufItem> unetGgufItems(const Weights& weights, const quant::Policy& policy) {
  const auto names = weights.names();
  const UnetLayout layout = layoutOfDiffusers({names.begin(), names.end()});
  std::vector<GgufItem> items;
  for (const std::string& name : names) {
    const auto there = unetNameToLdm(layout, name);
    if (!there) throw ModelError(fmt::format("{}: tensor '{}' has no name in the original naming; this UNet cannot be written as GGUF", weights.folder().string(), name));
    const auto shape = weights.shape(name);
    const GgmlType type = typeOf(name, shape, policy);
    items.push_back({*there, type, shape, [&weights, name, type] { return bytesOf(weights, name, type); }});
  }
  return items;
}

}  // namespace quantspot::model
