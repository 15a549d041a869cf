#include "engine/model/gguf_weights.h"

#include "engine/model/flux/names.h"
#include "engine/model/folder.h"
#include "quant/gguf.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

namespace quantspot::model {
namespace {

// What some programs put before every name.
constexpr const char* kPrefixes[] = {"", "model.diffusion_model.", "diffusion_model."};

// One more than the highest number after `start` in any name.
std::int64_t countOf(const std::map<std::string, GgufTensor>& tensors, const std::string& start) {
  std::int64_t count = 0;
  for (auto it = tensors.lower_bound(start); it != tensors.end() && it->first.starts_with(start); ++it) {
    std::int64_t number = 0;
    const char *begin = it->first.data() + start.size(), *end = it->first.data() + it->first.size();
    if (const auto [stop, error] = std::from_chars(begin, end, number); error == std::errc() && number >= 0 && number < 1000)
      count = std::max(count, number + 1);
  }
  return count;
}

at::ScalarType plainType(quant::GgmlType type) {
  return type == quant::GgmlType::F32 ? at::kFloat : type == quant::GgmlType::F16 ? at::kHalf : at::kBFloat16;
}

}  // namespace

GgufWeights::GgufWeights(const std::filesystem::path& path) : file_(path) {
  const auto& tensors = file_.tensors();
  for (const char* prefix : kPrefixes)
    if (tensors.contains(prefix + std::string("double_blocks.0.img_attn.qkv.weight"))) addBfl(prefix);
  if (places_.empty() && tensors.contains("transformer_blocks.0.attn.to_q.weight"))   // diffusers' own naming
    for (const auto& [name, tensor] : tensors) add(name, {name, 0, tensor.shape.front(), false});
  if (places_.empty())
    throw ModelError(fmt::format("{}: holds no FLUX transformer: neither 'double_blocks.0.img_attn.qkv.weight' nor "
                                 "'transformer_blocks.0.attn.to_q.weight' is there",
                                 path.string()));
}

void GgufWeights::addBfl(const std::string& prefix) {
  const auto& tensors = file_.tensors();
  const bool guidance = tensors.contains(prefix + "guidance_in.in_layer.weight");
  for (const FluxEntry& entry : fluxEntries(countOf(tensors, prefix + "double_blocks."), countOf(tensors, prefix + "single_blocks."), guidance)) {
    std::int64_t shares = 0;
    for (const FluxPart& part : entry.parts) shares += part.share;
    for (const char* kind : {".weight", ".bias"}) {
      if (entry.isNorm && kind == std::string(".bias")) continue;
      const std::string name = prefix + entry.name + (entry.isNorm ? ".scale" : kind);
      const auto found = tensors.find(name);
      if (found == tensors.end()) continue;   // reading it tells
      // A vector is one row of the file; here its elements are the rows.
      const std::int64_t rows = found->second.shape.front();
      if (rows % (entry.swapsHalves ? 2 : shares) != 0)
        throw ModelError(fmt::format("{}: tensor '{}' has {} rows, which {} parts cannot share", path().string(), name, rows, shares));
      std::int64_t first = 0;
      for (const FluxPart& part : entry.parts) {
        add(part.name + kind, {name, first, rows / shares * part.share, entry.swapsHalves});
        first += rows / shares * part.share;
      }
    }
  }
}

void GgufWeights::add(const std::string& name, Place place) {
  const GgufTensor& tensor = file_.tensors().at(place.tensor);
  if (tensor.shape.size() == 1 && quant::ggmlType(tensor.type).elements != 1)
    throw ModelError(fmt::format("{}: tensor '{}' is a vector in {}; vectors are F32, F16 or BF16", path().string(), place.tensor,
                                 quant::ggmlType(tensor.type).name));
  places_.emplace(name, std::move(place));
}

std::vector<std::string> GgufWeights::names() const {
  std::vector<std::string> all;
  for (const auto& [name, place] : places_) all.push_back(name);
  return all;
}

std::vector<std::int64_t> GgufWeights::shape(const std::string& name) const {
  const Place& place = places_.at(name);
  std::vector<std::int64_t> shape = file_.tensors().at(place.tensor).shape;
  shape.front() = place.rows;
  return shape;
}

at::Tensor GgufWeights::rowsOf(const Place& place) const {
  const GgufTensor& tensor = file_.tensors().at(place.tensor);
  at::Tensor bytes;
  if (tensor.shape.size() == 1) {
    const std::int64_t element = quant::ggmlType(tensor.type).bytes;
    bytes = file_.copyRows(tensor, 0, 1).narrow(1, place.firstRow * element, place.rows * element).contiguous().view({place.rows, element});
  } else {
    std::int64_t inner = 1;   // a row of the file is one of its last dimension
    for (std::size_t i = 1; i + 1 < tensor.shape.size(); ++i) inner *= tensor.shape[i];
    bytes = file_.copyRows(tensor, place.firstRow * inner, place.rows * inner).view({place.rows, -1});
  }
  return place.swapsHalves ? bytes.roll(place.rows / 2, 0) : bytes;
}

at::Tensor GgufWeights::read(const std::string& name) const {
  const Place& place = places_.at(name);
  const GgufTensor& tensor = file_.tensors().at(place.tensor);
  const at::Tensor bytes = rowsOf(place);
  if (quant::ggmlType(tensor.type).elements == 1) return bytes.view(plainType(tensor.type)).view(shape(name));
  const quant::Gguf& blocks = quant::ggufQuantizer(tensor.type);
  return blocks.values(blocks.adopt(bytes, {place.rows, bytes.size(1) / blocks.type().bytes * blocks.type().elements})).view(shape(name));
}

std::optional<quant::QuantizedTensor> GgufWeights::packed(const std::string& name) const {
  const Place& place = places_.at(name);
  const GgufTensor& tensor = file_.tensors().at(place.tensor);
  if (tensor.shape.size() != 2 || quant::ggmlType(tensor.type).elements == 1) return {};
  return quant::ggufQuantizer(tensor.type).adopt(rowsOf(place), shape(name));
}

std::string_view GgufWeights::mainPrecision() const {
  std::map<quant::GgmlType, std::size_t> bytes;
  for (const auto& [name, tensor] : file_.tensors())
    if (!quant::ggmlType(tensor.type).id.empty()) bytes[tensor.type] += tensor.bytes.size();
  if (bytes.empty()) return {};
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return quant::ggmlType(most->first).id;
}

}  // namespace quantspot::model
