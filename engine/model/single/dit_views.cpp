#include "engine/model/single/dit_views.h"

#include "engine/model/folder.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

namespace quantspot::model {
namespace {

struct Pair {
  const char *original, *diffusers;
};
constexpr Pair kWhole[] = {{"x_embedder.proj", "pos_embed.proj"}, {"final_layer.adaLN_modulation.1", "proj_out_1"}, {"final_layer.linear", "proj_out_2"}};
// Of one block; those without a number are shared by all.
constexpr Pair kShared[] = {{"t_embedder.mlp.0", "norm1.emb.timestep_embedder.linear_1"}, {"t_embedder.mlp.2", "norm1.emb.timestep_embedder.linear_2"},
                            {"y_embedder.embedding_table", "norm1.emb.class_embedder.embedding_table"}};
constexpr Pair kBlock[] = {{"adaLN_modulation.1", "norm1.linear"}, {"attn.proj", "attn1.to_out.0"}, {"mlp.fc1", "ff.net.0.proj"}, {"mlp.fc2", "ff.net.2"}};
constexpr const char* kHeads[] = {"attn1.to_q", "attn1.to_k", "attn1.to_v"};

// Heads of the four published sizes, by their width.
constexpr std::pair<std::int64_t, std::int64_t> kHeadsOfWidth[] = {{1152, 16}, {1024, 16}, {768, 12}, {384, 6}};

std::int64_t blocksOf(const Shapes& file, const std::string& prefix) {
  std::int64_t count = 0;
  while (file.contains(fmt::format("{}blocks.{}.attn.qkv.weight", prefix, count))) ++count;
  return count;
}

}  // namespace

bool hasOriginalDit(const Shapes& file, const std::string& prefix) {
  return file.contains(prefix + "blocks.0.attn.qkv.weight") && file.contains(prefix + "y_embedder.embedding_table.weight") && file.contains(prefix + "final_layer.linear.weight");
}

Views originalDitViews(const Shapes& file, const std::string& prefix) {
  Views views;
  const auto add = [&](const std::string& original, const std::string& diffusers) {
    for (const char* kind : {".weight", ".bias"})
      if (file.contains(prefix + original + kind)) views[diffusers + kind] = {.tensor = prefix + original + kind};
  };
  for (const auto& [original, diffusers] : kWhole) add(original, diffusers);
  for (std::int64_t i = 0; i < blocksOf(file, prefix); ++i) {
    const std::string from = fmt::format("blocks.{}.", i), to = fmt::format("transformer_blocks.{}.", i);
    for (const auto& [original, diffusers] : kShared) add(original, to + diffusers);
    for (const auto& [original, diffusers] : kBlock) add(from + original, to + diffusers);
    for (const char* kind : {".weight", ".bias"}) {
      const std::string fused = prefix + from + "attn.qkv" + kind;
      const auto found = file.find(fused);
      if (found == file.end() || found->second.empty()) continue;
      const std::int64_t rows = found->second.front();
      if (rows % 3 != 0) throw ModelError(fmt::format("tensor '{}' has {} rows, which q, k and v cannot share", fused, rows));
      for (std::int64_t part = 0; part < 3; ++part) views[to + kHeads[part] + kind] = {.tensor = fused, .firstRow = part * (rows / 3), .rows = rows / 3};
    }
  }
  return views;
}

nlohmann::json originalDitConfig(const Shapes& file, const std::string& prefix) {
  const auto extents = [&](const char* name, std::size_t dimensions) {
    const auto found = file.find(prefix + name);
    return found != file.end() && found->second.size() == dimensions ? found->second : std::vector<std::int64_t>();
  };
  const auto patches = extents("x_embedder.proj.weight", 4), positions = extents("pos_embed", 3), out = extents("final_layer.linear.weight", 2);
  const auto labels = extents("y_embedder.embedding_table.weight", 2);
  if (patches.empty() || positions.empty() || out.empty() || labels.empty() || patches[2] < 1) return {};
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(positions[1]))));
  const auto known = std::ranges::find(kHeadsOfWidth, patches[0], [](const auto& row) { return row.first; });
  if (known == std::end(kHeadsOfWidth)) return {};
  return {{"_class_name", "DiTTransformer2DModel"},
          {"num_attention_heads", known->second},
          {"attention_head_dim", known->first / known->second},
          {"in_channels", patches[1]},
          {"out_channels", out[0] / (patches[2] * patches[2])},
          {"num_layers", blocksOf(file, prefix)},
          {"sample_size", side * patches[2]},
          {"patch_size", patches[2]},
          {"norm_type", "ada_norm_zero"},
          {"activation_fn", "gelu-approximate"},
          {"attention_bias", true},
          {"norm_elementwise_affine", false},
          {"num_embeds_ada_norm", labels[0] - 1}};
}

}  // namespace quantspot::model
