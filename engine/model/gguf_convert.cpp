#include "engine/model/gguf_convert.h"

#include "engine/model/config.h"
#include "engine/model/flux/names.h"
#include "engine/model/gguf_pack.h"
#include "engine/model/gguf_unet.h"
#include "engine/model/weights.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

namespace quantspot::model {
namespace {

using quant::GgmlType;

// llama.cpp's numbers for "mostly this type" (llama.h, enum llama_ftype).
constexpr std::pair<GgmlType, std::uint32_t> kFileTypes[] = {
    {GgmlType::F32, 0},   {GgmlType::F16, 1},   {GgmlType::Q4_0, 2},  {GgmlType::Q4_1, 3},  {GgmlType::Q8_0, 7},  {GgmlType::Q5_0, 8}, {GgmlType::Q5_1, 9},
    {GgmlType::Q2_K, 10}, {GgmlType::Q3_K, 11}, {GgmlType::Q4_K, 14}, {GgmlType::Q5_K, 16}, {GgmlType::Q6_K, 18}, {GgmlType::BF16, 32}};

class Converter {
 public:
  Converter(const std::filesystem::path& folder, const quant::Policy& policy) : weights_(folder), policy_(policy) {
    const Config config(folder / "config.json");
    if (const auto name = config.get<std::string>("_class_name", "FluxTransformer2DModel"); name != "FluxTransformer2DModel")
      config.fail("_class_name", "cannot be written as GGUF; only FluxTransformer2DModel can");
    for (const FluxEntry& entry : fluxEntries(config.count("num_layers", 19), config.count("num_single_layers", 38), config.get("guidance_embeds", false)))
      add(entry);
  }

  const std::vector<GgufItem>& items() const { return items_; }

 private:
  void add(const FluxEntry& entry) {
    if (entry.isNorm) return addVector(entry, ".weight", ".scale");
    addMatrix(entry);
    if (weights_.has(entry.parts.front().name + ".bias")) addVector(entry, ".bias", ".bias");
  }

  void addVector(const FluxEntry& entry, const char* kind, const char* kindThere) {
    std::int64_t length = 0;
    for (const FluxPart& part : entry.parts) length += weights_.shape(part.name + kind).at(0);
    items_.push_back({entry.name + kindThere, GgmlType::F32, {length}, [this, entry, kind] { return joined(entry, kind).to(at::kFloat); }});
  }

  void addMatrix(const FluxEntry& entry) {
    std::vector<std::int64_t> shape = {0, 0};
    for (const FluxPart& part : entry.parts) {
      const auto one = weights_.shape(part.name + ".weight");
      if (one.size() != 2 || (shape[1] != 0 && one[1] != shape[1]))
        throw ModelError(fmt::format("{}: '{}.weight' does not go into the tensor '{}'", weights_.folder().string(), part.name, entry.name));
      shape = {shape[0] + one[0], one[1]};
    }
    const GgmlType type = ggmlTypeOf(quant::quantizer(precisionOf(entry)).precisionFor(shape));
    items_.push_back({entry.name + ".weight", type, shape, [this, entry, type] { return packed(entry, type); }});
  }

  std::string precisionOf(const FluxEntry& entry) const {
    const std::string first = policy_.precisionOf(entry.parts.front().name);
    for (const FluxPart& part : entry.parts)
      if (const std::string other = policy_.precisionOf(part.name); other != first)
        throw ModelError(fmt::format("policy '{}' wants {} for {} and {} for {}, which a GGUF file stores as one tensor", policy_.text(), first,
                                     entry.parts.front().name, other, part.name));
    return first;
  }

  // The parts one after the other, in the file's order of rows.
  at::Tensor joined(const FluxEntry& entry, const char* kind) const {
    std::vector<at::Tensor> parts;
    for (const FluxPart& part : entry.parts) parts.push_back(weights_.read(part.name + kind, weights_.shape(part.name + kind)));
    const at::Tensor whole = parts.size() == 1 ? parts.front() : at::cat(parts);
    return entry.swapsHalves ? whole.roll(whole.size(0) / 2, 0) : whole;
  }

  at::Tensor packed(const FluxEntry& entry, GgmlType type) const {
    return packedAs(type, joined(entry, ".weight"), fmt::format("{}: {}", weights_.folder().string(), entry.name));
  }

  Weights weights_;
  const quant::Policy& policy_;
  std::vector<GgufItem> items_;
};

}  // namespace

GgufSummary convertToGguf(const std::filesystem::path& folder, const quant::Policy& policy, const std::filesystem::path& out,
                          const std::function<void(std::size_t done, std::size_t total)>& onTensor) {
  if (!policy.softmax().empty())
    throw std::invalid_argument("'softmax=" + policy.softmax() + "': no GGUF file says in which type a softmax runs; leave that rule out");
  const GgmlType main = ggmlTypeOf(policy.precision);
  std::optional<Weights> unet;
  std::optional<Converter> transformer;
  if (std::filesystem::exists(folder / "unet/config.json")) unet.emplace(folder / "unet");
  else transformer.emplace(folder / "transformer", policy);
  std::vector<GgufItem> items = unet ? unetGgufItems(*unet, policy) : transformer->items();
  const char* const architecture = !unet ? "flux" : unet->has("add_embedding.linear_1.weight") ? "sdxl" : "sd1";
  GgufSummary summary;
  for (GgufItem& item : items) {
    ++summary.types[std::string(quant::ggmlType(item.type).name)];
    item.bytes = [&, make = std::move(item.bytes), done = static_cast<std::size_t>(&item - items.data()) + 1, total = items.size()] {
      const at::Tensor bytes = make();
      if (onTensor) onTensor(done, total);
      return bytes;
    };
  }
  const auto fileType = std::ranges::find(kFileTypes, main, [](const auto& known) { return known.first; });
  saveGguf(out, {{"general.architecture", architecture}, {"general.quantization_version", 2u}, {"general.file_type", fileType->second}}, items);
  summary.bytes = static_cast<std::int64_t>(std::filesystem::file_size(out));
  return summary;
}

}  // namespace quantspot::model
