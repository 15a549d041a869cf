#include "engine/model/single/vae_names.h"

#include "engine/model/folder.h"
#include "engine/model/single/name_rules.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

constexpr NameRule kVae[] = {
    {"encoder.down.#.block.#.nin_shortcut.*", "encoder.down_blocks.#.resnets.#.conv_shortcut.*"},
    {"encoder.down.#.block.#.*", "encoder.down_blocks.#.resnets.#.*"},
    {"encoder.down.#.downsample.conv.*", "encoder.down_blocks.#.downsamplers.0.conv.*"},
    {"decoder.up.#.block.#.nin_shortcut.*", "decoder.up_blocks.~.resnets.#.conv_shortcut.*"},
    {"decoder.up.#.block.#.*", "decoder.up_blocks.~.resnets.#.*"},
    {"decoder.up.#.upsample.conv.*", "decoder.up_blocks.~.upsamplers.0.conv.*"},
    {"quant_conv.*", "quant_conv.*"},
    {"post_quant_conv.*", "post_quant_conv.*"}};
// Of encoder and decoder alike, behind that word.
constexpr NameRule kHalf[] = {
    {"mid.block_1.*", "mid_block.resnets.0.*"},         {"mid.block_2.*", "mid_block.resnets.1.*"},
    {"mid.attn_1.norm.*", "mid_block.attentions.0.group_norm.*"}, {"mid.attn_1.q.*", "mid_block.attentions.0.to_q.*"},
    {"mid.attn_1.k.*", "mid_block.attentions.0.to_k.*"}, {"mid.attn_1.v.*", "mid_block.attentions.0.to_v.*"},
    {"mid.attn_1.proj_out.*", "mid_block.attentions.0.to_out.0.*"}, {"norm_out.*", "conv_norm_out.*"},
    {"conv_in.*", "conv_in.*"},                          {"conv_out.*", "conv_out.*"}};

std::int64_t countOf(const Shapes& file, const std::string& format) {
  std::int64_t count = 0;
  while (file.contains(fmt::format(fmt::runtime(format), count))) ++count;
  return count;
}

std::int64_t extent(const Shapes& file, const std::string& name, std::size_t axis) {
  const auto found = file.find(name);
  if (found == file.end() || axis >= found->second.size()) throw ModelError(fmt::format("tensor '{}' is missing or has too few dimensions; this is no whole autoencoder", name));
  return found->second[axis];
}

}  // namespace

bool hasLdmVae(const Shapes& file, const std::string& prefix) {
  return file.contains(prefix + "decoder.conv_in.weight") && file.contains(prefix + "decoder.up.0.block.0.conv1.weight");
}

Views ldmVaeViews(const Shapes& file, const std::string& prefix) {
  const std::int64_t last = countOf(file, prefix + "decoder.up.{}.block.0.conv1.weight") - 1;
  Views views;
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.starts_with(prefix); ++it) {
    const std::string_view name = std::string_view(it->first).substr(prefix.size());
    auto found = translate(kVae, name, last);
    for (const std::string_view half : {"encoder.", "decoder."})
      if (!found && name.starts_with(half))
        if (const auto rest = translate(kHalf, name.substr(half.size()))) found = std::string(half) + *rest;
    if (found) views[*found] = {.tensor = it->first};
  }
  return views;
}

nlohmann::json ldmVaeConfig(const Shapes& file, const std::string& prefix) {
  const std::int64_t blocks = countOf(file, prefix + "decoder.up.{}.block.0.conv1.weight");
  std::vector<std::int64_t> channels;
  for (std::int64_t i = 0; i < blocks; ++i) channels.push_back(extent(file, fmt::format("{}decoder.up.{}.block.0.conv1.weight", prefix, i), 0));
  return {{"_class_name", "AutoencoderKL"},
          {"in_channels", extent(file, prefix + "decoder.conv_out.weight", 0)},
          {"out_channels", extent(file, prefix + "decoder.conv_out.weight", 0)},
          {"latent_channels", extent(file, prefix + "decoder.conv_in.weight", 1)},
          {"block_out_channels", channels},
          // The decoder has one resnet more in each block than the configuration says.
          {"layers_per_block", countOf(file, prefix + "decoder.up.0.block.{}.conv1.weight") - 1},
          {"down_block_types", std::vector<std::string>(channels.size(), "DownEncoderBlock2D")},
          {"up_block_types", std::vector<std::string>(channels.size(), "UpDecoderBlock2D")},
          {"act_fn", "silu"},
          {"norm_num_groups", 32},
          {"mid_block_add_attention", file.contains(prefix + "decoder.mid.attn_1.q.weight")},
          {"use_quant_conv", file.contains(prefix + "quant_conv.weight")},
          {"use_post_quant_conv", file.contains(prefix + "post_quant_conv.weight")}};
}

}  // namespace quantspot::model
