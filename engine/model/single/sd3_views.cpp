#include "engine/model/single/sd3_views.h"

#include "engine/model/single/name_rules.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <cmath>

namespace quantspot::model {
namespace {

constexpr NameRule kPlain[] = {
    {"pos_embed", "pos_embed.pos_embed"},
    {"x_embedder.proj.*", "pos_embed.proj.*"},
    {"context_embedder.*", "context_embedder.*"},
    {"t_embedder.mlp.0.*", "time_text_embed.timestep_embedder.linear_1.*"},
    {"t_embedder.mlp.2.*", "time_text_embed.timestep_embedder.linear_2.*"},
    {"y_embedder.mlp.0.*", "time_text_embed.text_embedder.linear_1.*"},
    {"y_embedder.mlp.2.*", "time_text_embed.text_embedder.linear_2.*"},
    {"final_layer.linear.*", "proj_out.*"},
    {"joint_blocks.#.x_block.adaLN_modulation.1.*", "transformer_blocks.#.norm1.linear.*"},
    {"joint_blocks.#.x_block.attn.ln_q.*", "transformer_blocks.#.attn.norm_q.*"},
    {"joint_blocks.#.x_block.attn.ln_k.*", "transformer_blocks.#.attn.norm_k.*"},
    {"joint_blocks.#.x_block.attn.proj.*", "transformer_blocks.#.attn.to_out.0.*"},
    {"joint_blocks.#.x_block.attn2.ln_q.*", "transformer_blocks.#.attn2.norm_q.*"},
    {"joint_blocks.#.x_block.attn2.ln_k.*", "transformer_blocks.#.attn2.norm_k.*"},
    {"joint_blocks.#.x_block.attn2.proj.*", "transformer_blocks.#.attn2.to_out.0.*"},
    {"joint_blocks.#.x_block.mlp.fc1.*", "transformer_blocks.#.ff.net.0.proj.*"},
    {"joint_blocks.#.x_block.mlp.fc2.*", "transformer_blocks.#.ff.net.2.*"},
    {"joint_blocks.#.context_block.attn.ln_q.*", "transformer_blocks.#.attn.norm_added_q.*"},
    {"joint_blocks.#.context_block.attn.ln_k.*", "transformer_blocks.#.attn.norm_added_k.*"},
    {"joint_blocks.#.context_block.attn.proj.*", "transformer_blocks.#.attn.to_add_out.*"},
    {"joint_blocks.#.context_block.mlp.fc1.*", "transformer_blocks.#.ff_context.net.0.proj.*"},
    {"joint_blocks.#.context_block.mlp.fc2.*", "transformer_blocks.#.ff_context.net.2.*"}};
// Shift and scale lie the other way round; of the last block alone, where the text ends.
constexpr NameRule kSwapped[] = {{"final_layer.adaLN_modulation.1.*", "norm_out.linear.*"}};
constexpr NameRule kContextNorm[] = {{"joint_blocks.#.context_block.adaLN_modulation.1.*", "transformer_blocks.#.norm1_context.linear.*"}};

// Queries, keys and values in one.
struct Fused {
  NameRule rule;
  std::array<const char*, 3> layers;
};
constexpr Fused kFused[] = {
    {{"joint_blocks.#.x_block.attn.qkv.*", "transformer_blocks.#.attn..*"}, {"to_q", "to_k", "to_v"}},
    {{"joint_blocks.#.x_block.attn2.qkv.*", "transformer_blocks.#.attn2..*"}, {"to_q", "to_k", "to_v"}},
    {{"joint_blocks.#.context_block.attn.qkv.*", "transformer_blocks.#.attn..*"}, {"add_q_proj", "add_k_proj", "add_v_proj"}}};

std::string blockOf(const std::string& prefix, std::int64_t index) { return fmt::format("{}joint_blocks.{}.", prefix, index); }

std::int64_t blocks(const Shapes& file, const std::string& prefix) {
  std::int64_t count = 0;
  while (file.contains(blockOf(prefix, count) + "x_block.attn.qkv.weight")) ++count;
  return count;
}

void addFused(Views& views, const std::string& tensor, std::string_view name, const std::vector<std::int64_t>& shape) {
  const std::int64_t rows = shape.empty() ? 0 : shape.front() / 3;
  for (const Fused& fused : kFused) {
    const auto place = translate(std::span(&fused.rule, 1), name);
    if (!place || rows == 0) continue;
    const std::size_t gap = place->find("..") + 1;
    for (std::size_t i = 0; i < fused.layers.size(); ++i)
      views[place->substr(0, gap) + fused.layers[i] + place->substr(gap)] =
          {.tensor = tensor, .firstRow = static_cast<std::int64_t>(i) * rows, .rows = rows};
  }
}

std::int64_t extent(const Shapes& file, const std::string& name, std::size_t axis) {
  const auto found = file.find(name);
  return found == file.end() || axis >= found->second.size() ? 0 : found->second[axis];
}

}  // namespace

bool hasOriginalSd3(const Shapes& file, const std::string& prefix) {
  return file.contains(prefix + "joint_blocks.0.x_block.attn.qkv.weight") && file.contains(prefix + "context_embedder.weight");
}

Views originalSd3Views(const Shapes& file, const std::string& prefix) {
  Views views;
  const std::string last = fmt::format("joint_blocks.{}.", blocks(file, prefix) - 1);
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.starts_with(prefix); ++it) {
    const std::string& tensor = it->first;
    const std::string_view name = std::string_view(tensor).substr(prefix.size());
    if (const auto plain = translate(kPlain, name)) views[*plain] = {.tensor = tensor};
    else if (const auto swapped = translate(kSwapped, name)) views[*swapped] = {.tensor = tensor, .swapsHalves = true};
    else if (const auto norm = translate(kContextNorm, name)) views[*norm] = {.tensor = tensor, .swapsHalves = name.starts_with(last)};
    else addFused(views, tensor, name, it->second);
  }
  return views;
}

nlohmann::json originalSd3Config(const Shapes& file, const std::string& prefix) {
  constexpr std::int64_t headOfMedium = 64;
  const std::int64_t width = extent(file, prefix + "context_embedder.weight", 0);
  const std::int64_t norm = extent(file, blockOf(prefix, 0) + "x_block.attn.ln_q.weight", 0);
  const std::int64_t head = norm > 0 ? norm : headOfMedium, patch = extent(file, prefix + "x_embedder.proj.weight", 2);
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(extent(file, prefix + "pos_embed", 1)))));
  if (width < 1 || width % head != 0 || patch < 1 || side < 1) return nullptr;
  std::vector<std::int64_t> dual;
  for (std::int64_t i = 0; i < blocks(file, prefix); ++i)
    if (file.contains(blockOf(prefix, i) + "x_block.attn2.qkv.weight")) dual.push_back(i);
  const std::int64_t in = extent(file, prefix + "x_embedder.proj.weight", 1);
  return {{"_class_name", "SD3Transformer2DModel"},
          {"attention_head_dim", head},
          {"num_attention_heads", width / head},
          {"caption_projection_dim", width},
          {"in_channels", in},
          {"out_channels", extent(file, prefix + "final_layer.linear.weight", 0) / (patch * patch)},
          {"joint_attention_dim", extent(file, prefix + "context_embedder.weight", 1)},
          {"pooled_projection_dim", extent(file, prefix + "y_embedder.mlp.0.weight", 1)},
          {"num_layers", blocks(file, prefix)},
          {"dual_attention_layers", dual},
          {"qk_norm", norm > 0 ? nlohmann::json("rms_norm") : nlohmann::json(nullptr)},
          {"patch_size", patch},
          {"pos_embed_max_size", side},
          {"sample_size", 128}};
}

}  // namespace quantspot::model
