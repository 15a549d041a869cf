#include "engine/model/lora_names.h"

#include "engine/model/single/unet_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quantspot::model {
namespace {

// Words that have an underscore of their own; every other underscore was a dot.
constexpr std::array<std::string_view, 35> kWords = {
    "down_blocks", "up_blocks",   "mid_block",     "transformer_blocks", "to_q",          "to_k",       "to_v",          "to_out",    "proj_in",
    "proj_out",    "linear_1",    "linear_2",      "time_emb_proj",      "conv_shortcut", "conv_in",    "conv_out",      "conv_norm_out", "time_embedding",
    "add_embedding", "input_blocks", "output_blocks", "middle_block",    "in_layers",     "out_layers", "emb_layers",    "skip_connection", "time_embed",
    "label_emb",   "text_model",  "self_attn",     "q_proj",             "k_proj",        "v_proj",     "out_proj",      "text_projection"};

std::string dotted(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::size_t length = std::min(text.find('_'), text.size());
    for (const std::string_view word : kWords)
      if (word.size() > length && text.starts_with(word) && (text.size() == word.size() || text[word.size()] == '_')) length = word.size();
    if (!result.empty()) result += '.';
    result += text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return result;
}

const UnetLayout& layoutOfSdxl() {
  static const UnetLayout layout{{2, 2, 2}, {3, 3, 3}, {false, true, true}, {true, true, false}};
  return layout;
}

}  // namespace

std::optional<std::string> kohyaLayer(std::string_view key) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> encoders = {
      {{"lora_te1_", "text_encoder."}, {"lora_te2_", "text_encoder_2."}, {"lora_te_", "text_encoder."}}};
  for (const auto& [prefix, part] : encoders)
    if (key.starts_with(prefix)) return std::string(part) + dotted(key.substr(prefix.size()));
  constexpr std::string_view unet = "lora_unet_";
  if (!key.starts_with(unet)) return {};
  const std::string name = dotted(key.substr(unet.size()));
  for (const std::string_view start : {"down_blocks.", "up_blocks.", "mid_block.", "time_embedding.", "add_embedding.", "conv_in", "conv_out"})
    if (name.starts_with(start)) return name;
  return unetNameFromLdm(layoutOfSdxl(), name);
}

}  // namespace quantspot::model
