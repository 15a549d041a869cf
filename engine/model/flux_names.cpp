#include "engine/model/flux_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quantspot::model {
namespace {

// Original words joined by "_" → layers of the block, separated by spaces.
using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array kDouble = {
    Names{"img_attn_qkv", "attn.to_q attn.to_k attn.to_v"},
    Names{"img_attn_proj", "attn.to_out.0"},
    Names{"img_attn_norm_query_norm", "attn.norm_q"},
    Names{"img_attn_norm_key_norm", "attn.norm_k"},
    Names{"img_mlp_0", "ff.net.0.proj"},
    Names{"img_mlp_2", "ff.net.2"},
    Names{"img_mod_lin", "norm1.linear"},
    Names{"txt_attn_qkv", "attn.add_q_proj attn.add_k_proj attn.add_v_proj"},
    Names{"txt_attn_proj", "attn.to_add_out"},
    Names{"txt_attn_norm_query_norm", "attn.norm_added_q"},
    Names{"txt_attn_norm_key_norm", "attn.norm_added_k"},
    Names{"txt_mlp_0", "ff_context.net.0.proj"},
    Names{"txt_mlp_2", "ff_context.net.2"},
    Names{"txt_mod_lin", "norm1_context.linear"},
};

constexpr std::array kSingle = {
    Names{"linear1", "attn.to_q attn.to_k attn.to_v proj_mlp"},
    Names{"linear2", "proj_out"},
    Names{"modulation_lin", "norm.linear"},
    Names{"norm_query_norm", "attn.norm_q"},
    Names{"norm_key_norm", "attn.norm_k"},
};

constexpr std::array kTop = {
    Names{"img_in", "x_embedder"},
    Names{"txt_in", "context_embedder"},
    Names{"time_in_in_layer", "time_text_embed.timestep_embedder.linear_1"},
    Names{"time_in_out_layer", "time_text_embed.timestep_embedder.linear_2"},
    Names{"vector_in_in_layer", "time_text_embed.text_embedder.linear_1"},
    Names{"vector_in_out_layer", "time_text_embed.text_embedder.linear_2"},
    Names{"guidance_in_in_layer", "time_text_embed.guidance_embedder.linear_1"},
    Names{"guidance_in_out_layer", "time_text_embed.guidance_embedder.linear_2"},
    Names{"final_layer_linear", "proj_out"},
    Names{"final_layer_adaLN_modulation_1", "norm_out.linear"},
};

template <std::size_t N>
std::vector<std::string> find(const std::array<Names, N>& table, std::string_view words, const std::string& block) {
  const auto found = std::ranges::find(table, words, &Names::first);
  std::vector<std::string> layers;
  if (found == table.end()) return layers;
  for (std::string_view rest = found->second; !rest.empty(); rest.remove_prefix(std::min(rest.size(), layers.back().size() - block.size() + 1)))
    layers.push_back(block + std::string(rest.substr(0, rest.find(' '))));
  return layers;
}

// "double_blocks_3_img_in" with this prefix → "3" and "img_in"; false when it begins otherwise.
bool splitBlock(std::string_view name, std::string_view prefix, std::string& index, std::string_view& words) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  const std::size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  if (digits == 0 || digits == name.size()) return false;
  index = name.substr(0, digits);
  words = name.substr(digits + 1);
  return true;
}

}  // namespace

std::vector<std::string> fluxLayers(std::string_view original) {
  std::string name(original);
  std::ranges::replace(name, '.', '_');
  std::string index;
  std::string_view words;
  if (splitBlock(name, "double_blocks_", index, words)) return find(kDouble, words, "transformer_blocks." + index + ".");
  if (splitBlock(name, "single_blocks_", index, words)) return find(kSingle, words, "single_transformer_blocks." + index + ".");
  return find(kTop, name, "");
}

bool swapsHalves(std::string_view diffusersLayer) { return diffusersLayer == "norm_out.linear"; }

}  // namespace quantspot::model
