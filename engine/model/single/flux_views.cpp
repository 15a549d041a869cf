#include "engine/model/single/flux_views.h"

#include "engine/model/flux/names.h"
#include "engine/model/folder.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

namespace quantspot::model {
namespace {

// One more than the highest number after `start` in any name.
std::int64_t countOf(const Shapes& file, const std::string& start) {
  std::int64_t count = 0;
  for (auto it = file.lower_bound(start); it != file.end() && it->first.starts_with(start); ++it) {
    std::int64_t number = 0;
    const char *begin = it->first.data() + start.size(), *end = it->first.data() + it->first.size();
    if (const auto [stop, error] = std::from_chars(begin, end, number); error == std::errc() && number >= 0 && number < 1000)
      count = std::max(count, number + 1);
  }
  return count;
}

void addEntry(Views& views, const Shapes& file, const std::string& prefix, const FluxEntry& entry, const std::string& kind) {
  const std::string name = prefix + entry.name + (entry.isNorm ? ".scale" : kind);
  const auto found = file.find(name);
  if (found == file.end() || found->second.empty()) return;   // reading it tells
  std::int64_t shares = 0, first = 0;
  for (const FluxPart& part : entry.parts) shares += part.share;
  const std::int64_t rows = found->second.front();
  if (rows % (entry.swapsHalves ? 2 : shares) != 0) throw ModelError(fmt::format("tensor '{}' has {} rows, which {} parts cannot share", name, rows, shares));
  for (const FluxPart& part : entry.parts) {
    const std::int64_t own = rows / shares * part.share;
    views[part.name + kind] = {name, first, own, entry.swapsHalves};
    first += own;
  }
}

}  // namespace

bool hasBflFlux(const Shapes& file, const std::string& prefix) { return file.contains(prefix + "double_blocks.0.img_attn.qkv.weight"); }

Views bflFluxViews(const Shapes& file, const std::string& prefix) {
  Views views;
  const bool guidance = file.contains(prefix + "guidance_in.in_layer.weight");
  for (const FluxEntry& entry : fluxEntries(countOf(file, prefix + "double_blocks."), countOf(file, prefix + "single_blocks."), guidance))
    for (const char* kind : {".weight", ".bias"})
      if (!entry.isNorm || kind == std::string(".weight")) addEntry(views, file, prefix, entry, kind);
  return views;
}

nlohmann::json fluxConfig(const Shapes& tensors, const std::filesystem::path& file) {
  constexpr std::int64_t headOfFlux1 = 128;
  const auto extent = [&](const char* tensor, std::size_t axis) {
    const auto found = tensors.find(tensor);
    if (found == tensors.end() || axis >= found->second.size())
      throw ModelError(fmt::format("{}: tensor '{}' is missing; this is no whole FLUX transformer", file.string(), tensor));
    return found->second[axis];
  };
  const auto count = [&](const char* blocks) {
    std::int64_t number = 0;
    while (tensors.contains(fmt::format("{}.{}.attn.to_q.weight", blocks, number))) ++number;
    return number;
  };
  const std::int64_t head = extent("transformer_blocks.0.attn.norm_q.weight", 0);
  if (head != headOfFlux1)
    throw ModelError(fmt::format("{}: its attention heads are {} wide, not {} as in FLUX.1; put the transformer's config.json into the parts' transformer folder",
                                 file.string(), head, headOfFlux1));
  return {{"_class_name", "FluxTransformer2DModel"},
          {"attention_head_dim", head},
          {"num_attention_heads", extent("x_embedder.weight", 0) / head},
          {"in_channels", extent("x_embedder.weight", 1)},
          {"joint_attention_dim", extent("context_embedder.weight", 1)},
          {"pooled_projection_dim", extent("time_text_embed.text_embedder.linear_1.weight", 1)},
          {"num_layers", count("transformer_blocks")},
          {"num_single_layers", count("single_transformer_blocks")},
          {"guidance_embeds", tensors.contains("time_text_embed.guidance_embedder.linear_1.weight")},
          {"axes_dims_rope", {16, 56, 56}},
          {"patch_size", 1}};
}

}  // namespace quantspot::model
