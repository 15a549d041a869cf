#include "engine/model/single/unet_names.h"

#include "engine/model/folder.h"
#include "engine/model/single/name_rules.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

struct Pair {
  std::string ldm, diffusers;            // what their tensors' names begin with, a dot included
  bool isResnet;
};

constexpr NameRule kResnet[] = {{"in_layers.0.", "norm1."},  {"in_layers.2.", "conv1."},  {"emb_layers.1.", "time_emb_proj."},
                                {"out_layers.0.", "norm2."}, {"out_layers.3.", "conv2."}, {"skip_connection.", "conv_shortcut."}};

// Every module of a UNet of this layout.
std::vector<Pair> modules(const UnetLayout& layout) {
  std::vector<Pair> all = {{"time_embed.0.", "time_embedding.linear_1.", false}, {"time_embed.2.", "time_embedding.linear_2.", false},
                           {"label_emb.0.0.", "add_embedding.linear_1.", false}, {"label_emb.0.2.", "add_embedding.linear_2.", false},
                           {"input_blocks.0.0.", "conv_in.", false},             {"out.0.", "conv_norm_out.", false},
                           {"out.2.", "conv_out.", false},                       {"middle_block.0.", "mid_block.resnets.0.", true},
                           {"middle_block.1.", "mid_block.attentions.0.", false}, {"middle_block.2.", "mid_block.resnets.1.", true}};
  int block = 1;
  for (std::size_t i = 0; i < layout.downLayers.size(); ++i) {
    for (int j = 0; j < layout.downLayers[i]; ++j, ++block) {
      all.push_back({fmt::format("input_blocks.{}.0.", block), fmt::format("down_blocks.{}.resnets.{}.", i, j), true});
      if (layout.downAttends[i]) all.push_back({fmt::format("input_blocks.{}.1.", block), fmt::format("down_blocks.{}.attentions.{}.", i, j), false});
    }
    if (i + 1 < layout.downLayers.size()) all.push_back({fmt::format("input_blocks.{}.0.op.", block++), fmt::format("down_blocks.{}.downsamplers.0.conv.", i), false});
  }
  block = 0;
  for (std::size_t i = 0; i < layout.upLayers.size(); ++i)
    for (int j = 0; j < layout.upLayers[i]; ++j, ++block) {
      all.push_back({fmt::format("output_blocks.{}.0.", block), fmt::format("up_blocks.{}.resnets.{}.", i, j), true});
      // Before the attention of the same number, whose names begin alike.
      if (i + 1 < layout.upLayers.size() && j + 1 == layout.upLayers[i])
        all.push_back({fmt::format("output_blocks.{}.{}.conv.", block, layout.upAttends[i] ? 2 : 1), fmt::format("up_blocks.{}.upsamplers.0.conv.", i), false});
      if (layout.upAttends[i]) all.push_back({fmt::format("output_blocks.{}.1.", block), fmt::format("up_blocks.{}.attentions.{}.", i, j), false});
    }
  return all;
}

// The leaf of a name behind its module, in the other naming.
std::optional<std::string> leaf(const Pair& pair, std::string_view rest, bool toLdm) {
  if (!pair.isResnet) return std::string(rest);
  for (const NameRule& rule : kResnet)
    if (const auto [own, other] = toLdm ? std::pair(rule.to, rule.from) : std::pair(rule.from, rule.to); rest.starts_with(own))
      return std::string(other).append(rest.substr(own.size()));
  return {};
}

std::optional<std::string> renamed(const UnetLayout& layout, std::string_view name, bool toLdm) {
  const std::string dotted = std::string(name) + ".";   // a layer's name ends where a tensor's goes on
  for (const Pair& pair : modules(layout)) {
    const std::string &own = toLdm ? pair.diffusers : pair.ldm, &other = toLdm ? pair.ldm : pair.diffusers;
    if (!dotted.starts_with(own)) continue;
    if (auto rest = leaf(pair, std::string_view(dotted).substr(own.size()), toLdm)) {
      std::string found = other + *rest;
      found.pop_back();
      return found;
    }
  }
  return {};
}

class Reader {
 public:
  Reader(const Shapes& file, const std::string& prefix) : file_(file), prefix_(prefix) {}
  bool has(const std::string& name) const { return file_.contains(prefix_ + name); }
  std::int64_t extent(const std::string& name, std::size_t axis) const {
    const auto found = file_.find(prefix_ + name);
    if (found == file_.end()) throw ModelError(fmt::format("tensor '{}{}' is missing; this is no whole UNet", prefix_, name));
    if (axis >= found->second.size()) throw ModelError(fmt::format("tensor '{}{}' has only {} dimensions; this is no UNet's", prefix_, name, found->second.size()));
    return found->second[axis];
  }
  std::size_t dimensions(const std::string& name) const {
    extent(name, 0);
    return file_.at(prefix_ + name).size();
  }
  int depth(const std::string& attention) const {
    int count = 0;
    while (has(fmt::format("{}transformer_blocks.{}.attn1.to_q.weight", attention, count))) ++count;
    return count;
  }

 private:
  const Shapes& file_;
  const std::string& prefix_;
};

}  // namespace

bool hasLdmUnet(const Shapes& file, const std::string& prefix) {
  return file.contains(prefix + "input_blocks.0.0.weight") && file.contains(prefix + "time_embed.0.weight");
}

UnetLayout layoutOfLdm(const Shapes& file, const std::string& prefix) {
  const Reader reader(file, prefix);
  UnetLayout layout{{0}, {0}, {false}, {false}};
  for (int block = 1;; ++block) {
    if (reader.has(fmt::format("input_blocks.{}.0.op.weight", block))) {
      layout.downLayers.push_back(0);
      layout.downAttends.push_back(false);
    } else if (reader.has(fmt::format("input_blocks.{}.0.in_layers.0.weight", block))) {
      ++layout.downLayers.back();
      if (reader.has(fmt::format("input_blocks.{}.1.norm.weight", block))) layout.downAttends.back() = true;
    } else break;
  }
  for (int block = 0; reader.has(fmt::format("output_blocks.{}.0.in_layers.0.weight", block)); ++block) {
    ++layout.upLayers.back();
    if (reader.has(fmt::format("output_blocks.{}.1.norm.weight", block))) layout.upAttends.back() = true;
    if (reader.has(fmt::format("output_blocks.{}.1.conv.weight", block)) || reader.has(fmt::format("output_blocks.{}.2.conv.weight", block))) {
      layout.upLayers.push_back(0);
      layout.upAttends.push_back(false);
    }
  }
  return layout;
}

UnetLayout layoutOfDiffusers(const std::set<std::string>& names) {
  UnetLayout layout;
  const auto count = [&](const std::string& block, std::vector<int>& layers, std::vector<bool>& attends) {
    for (int i = 0;; ++i) {
      int resnets = 0;
      while (names.contains(fmt::format("{}.{}.resnets.{}.norm1.weight", block, i, resnets))) ++resnets;
      if (resnets == 0) return;
      layers.push_back(resnets);
      attends.push_back(names.contains(fmt::format("{}.{}.attentions.0.norm.weight", block, i)));
    }
  };
  count("down_blocks", layout.downLayers, layout.downAttends);
  count("up_blocks", layout.upLayers, layout.upAttends);
  return layout;
}

std::optional<std::string> unetNameFromLdm(const UnetLayout& layout, std::string_view name) { return renamed(layout, name, false); }
std::optional<std::string> unetNameToLdm(const UnetLayout& layout, std::string_view name) { return renamed(layout, name, true); }

Views ldmUnetViews(const Shapes& file, const std::string& prefix) {
  const UnetLayout layout = layoutOfLdm(file, prefix);
  Views views;
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.starts_with(prefix); ++it)
    if (auto name = unetNameFromLdm(layout, std::string_view(it->first).substr(prefix.size()))) views[*name] = {.tensor = it->first};
  return views;
}

nlohmann::json ldmUnetConfig(const Shapes& file, const std::string& prefix) {
  constexpr std::int64_t kHeadChannels = 64, kHeads = 8;
  const Reader reader(file, prefix);
  const UnetLayout layout = layoutOfLdm(file, prefix);
  const std::size_t blocks = layout.downLayers.size();
  std::vector<std::int64_t> channels, depths, heads;
  std::string attention = reader.has("middle_block.1.norm.weight") ? "middle_block.1." : "";
  for (std::size_t i = 0, block = 1; i < blocks; block += static_cast<std::size_t>(layout.downLayers[i++]) + 1) {
    channels.push_back(reader.extent(fmt::format("input_blocks.{}.0.out_layers.3.weight", block), 0));
    const std::string own = fmt::format("input_blocks.{}.1.", block);
    depths.push_back(std::max(1, layout.downAttends[i] ? reader.depth(own) : i + 1 == blocks && !attention.empty() ? reader.depth(attention) : 1));
    if (attention.empty() && layout.downAttends[i]) attention = own;
  }
  if (attention.empty()) throw ModelError("its UNet attends to no prompt; this is no Stable Diffusion");
  const bool linear = reader.dimensions(attention + "proj_in.weight") == 2, added = reader.has("label_emb.0.0.weight");
  for (const std::int64_t c : channels) heads.push_back(linear && c % kHeadChannels == 0 ? c / kHeadChannels : kHeads);
  std::vector<std::string> down, up;
  for (const bool attends : layout.downAttends) down.emplace_back(attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
  for (const bool attends : layout.upAttends) up.emplace_back(attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
  nlohmann::json config = {{"_class_name", "UNet2DConditionModel"}, {"in_channels", reader.extent("input_blocks.0.0.weight", 1)},
                           {"out_channels", reader.extent("out.2.weight", 0)}, {"block_out_channels", channels}, {"layers_per_block", layout.downLayers.front()},
                           {"down_block_types", down}, {"up_block_types", up}, {"attention_head_dim", heads}, {"transformer_layers_per_block", depths},
                           {"cross_attention_dim", reader.extent(attention + "transformer_blocks.0.attn2.to_k.weight", 1)}, {"use_linear_projection", linear}};
  if (added) {
    constexpr std::int64_t kTimeDim = 256;   // of each of SDXL's six numbers
    config["addition_embed_type"] = "text_time";
    config["addition_time_embed_dim"] = kTimeDim;
    config["projection_class_embeddings_input_dim"] = reader.extent("label_emb.0.0.weight", 1);
  }
  return config;
}

}  // namespace quantspot::model
