#include "engine/model/unet/config.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace quantspot::model {
namespace {

using nlohmann::json;

// Keys that would change the arithmetic, with the only values that are computed here (null is always one).
struct Only {
  const char* key;
  json value;
};
const std::vector<Only>& onlyValues() {
  static const std::vector<Only> all = {
      {"only_cross_attention", false}, {"dual_cross_attention", false}, {"class_embed_type", nullptr}, {"num_class_embeds", nullptr},
      {"encoder_hid_dim", nullptr}, {"encoder_hid_dim_type", nullptr}, {"time_embedding_type", "positional"},
      {"attention_type", "default"}, {"class_embeddings_concat", false}, {"mid_block_only_cross_attention", false}, {"cross_attention_norm", nullptr},
      {"num_attention_heads", nullptr}, {"reverse_transformer_layers_per_block", nullptr}};
  return all;
}

void rejectOthers(const Config& c) {
  for (const auto& [key, value] : onlyValues())
    if (c.has(key) && c.json()[key] != value)
      c.fail(key, value.is_null() ? "is not supported" : fmt::format("is not supported; {} is", value.dump()));
}

// One number for all stages, or a list with one for each.
std::vector<std::int64_t> perStage(const Config& c, const std::string& key, std::int64_t fallback, std::size_t stages) {
  constexpr std::int64_t kMost = 1 << 16;
  const auto values = c.has(key) && c.json()[key].is_array() ? c.get<std::vector<std::int64_t>>(key, {})
      : std::vector<std::int64_t>(stages, c.positive(key, fallback));
  if (values.size() != stages) c.fail(key, fmt::format("must have one entry for each of the {} blocks", stages));
  if (std::ranges::any_of(values, [](std::int64_t v) { return v < 1 || v > kMost; }))
    c.fail(key, fmt::format("must hold numbers from 1 to {}", kMost));
  return values;
}

// Which blocks attend.
std::vector<bool> attending(const Config& c, const std::string& key, const std::vector<std::string>& fallback, const std::string& with,
                            const std::string& without) {
  std::vector<bool> attends;
  for (const std::string& type : c.get(key, fallback)) {
    if (type != with && type != without) c.fail(key, fmt::format("holds '{}', which is not supported; {} and {} are", type, with, without));
    attends.push_back(type == with);
  }
  return attends;
}

Activation activation(const Config& c, const std::string& key, const std::string& fallback) {
  const auto name = c.get(key, fallback);
  if (name.empty()) return nullptr;
  const Activation act = findActivation(name);
  if (!act) c.fail(key, "is not a known activation");
  return act;
}

std::vector<UnetConfig::Stage> readStages(const Config& c, std::int64_t groups) {
  const auto down = attending(c, "down_block_types", {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"},
                              "CrossAttnDownBlock2D", "DownBlock2D");
  auto up = attending(c, "up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}, "CrossAttnUpBlock2D",
                      "UpBlock2D");
  std::reverse(up.begin(), up.end());
  const std::size_t count = down.size();
  if (count == 0 || up.size() != count) c.fail("up_block_types", "must have as many entries as down_block_types, at least one");
  if (!c.has("block_out_channels") && count != 4) c.fail("block_out_channels", "is missing");
  const auto channels = c.has("block_out_channels") ? perStage(c, "block_out_channels", 320, count) : std::vector<std::int64_t>{320, 640, 1280, 1280};
  // attention_head_dim is the number of heads: diffusers keeps the wrong name for the sake of old files.
  const auto heads = perStage(c, "attention_head_dim", 8, count), layers = perStage(c, "layers_per_block", 2, count),
      context = perStage(c, "cross_attention_dim", 1280, count);
  if (c.has("transformer_layers_per_block") && c.json()["transformer_layers_per_block"].is_array() &&
      std::ranges::any_of(c.json()["transformer_layers_per_block"], &json::is_array))
    c.fail("transformer_layers_per_block", "is not supported; a number, or one for each block, is");
  const auto depth = perStage(c, "transformer_layers_per_block", 1, count);
  std::vector<UnetConfig::Stage> stages;
  for (std::size_t i = 0; i < count; ++i) {
    if (channels[i] % groups != 0) c.fail("block_out_channels", fmt::format("must be multiples of norm_num_groups={}", groups));
    if (channels[i] % heads[i] != 0) c.fail("attention_head_dim", fmt::format("must divide the block's {} channels", channels[i]));
    stages.push_back({channels[i], layers[i], down[i], up[i],
                      {.channels = channels[i], .heads = heads[i], .contextWidth = context[i], .layers = depth[i], .groups = groups,
                       .linearProjection = c.get("use_linear_projection", false)}});
  }
  return stages;
}

}  // namespace

UnetConfig::UnetConfig(const Config& c) {
  if (const auto name = c.get<std::string>("_class_name", "UNet2DConditionModel"); name != "UNet2DConditionModel")
    c.fail("_class_name", "is not supported; UNet2DConditionModel is");
  rejectOthers(c);
  if (c.json().contains("norm_num_groups") && c.json()["norm_num_groups"].is_null()) c.fail("norm_num_groups", "is not supported; a number is");
  const std::int64_t groups = c.positive("norm_num_groups", 32);
  stages = readStages(c, groups);
  inChannels = c.positive("in_channels", 4);
  outChannels = c.positive("out_channels", 4);
  if (inChannels != outChannels) c.fail("in_channels", "differs from out_channels; such a UNet (inpainting, image to image) needs another pipeline");
  timeChannels = stages.front().channels;
  timeWidth = c.positive("time_embedding_dim", 4 * timeChannels);
  if (c.has("time_cond_proj_dim")) guidanceWidth = c.positive("time_cond_proj_dim", 0);
  kernelIn = c.positive("conv_in_kernel", 3);
  kernelOut = c.positive("conv_out_kernel", 3);
  for (const char* key : {"conv_in_kernel", "conv_out_kernel"})
    if (c.positive(key, 3) % 2 == 0) c.fail(key, "must be odd");
  downPadding = c.count("downsample_padding", 1);
  if (downPadding > 1) c.fail("downsample_padding", "must be 0 or 1");
  freqShift = c.get("freq_shift", 0.0);
  middleScale = c.get("mid_block_scale_factor", 1.0);
  centers = c.get("center_input_sample", false);
  cosFirst = c.get("flip_sin_to_cos", true);
  hasMiddle = !(c.json().contains("mid_block_type") && c.json()["mid_block_type"].is_null());
  if (hasMiddle && c.get<std::string>("mid_block_type", "UNetMidBlock2DCrossAttn") != "UNetMidBlock2DCrossAttn")
    c.fail("mid_block_type", "is not supported; UNetMidBlock2DCrossAttn is");
  const auto shift = c.get<std::string>("resnet_time_scale_shift", "default");
  if (shift != "default" && shift != "scale_shift") c.fail("resnet_time_scale_shift", "must be default or scale_shift");
  resnet = {.groups = groups, .eps = c.get("norm_eps", 1e-5), .act = activation(c, "act_fn", "silu"), .timeChannels = timeWidth,
            .scaleShift = shift == "scale_shift"};
  timeAct = activation(c, "time_embedding_act_fn", "");
  timeAfter = activation(c, "timestep_post_act", "");
  const auto added = c.get<std::string>("addition_embed_type", "");
  if (!added.empty() && added != "text_time") c.fail("addition_embed_type", "is not supported; text_time is");
  if (!added.empty()) {
    sizeChannels = c.positive("addition_time_embed_dim", 0);
    addedWidth = c.positive("projection_class_embeddings_input_dim", 0);
  }
}

std::size_t UnetConfig::linears() const {
  std::size_t count = (sizeChannels > 0 ? 4 : 2) + (guidanceWidth > 0 ? 1 : 0);
  for (const Stage& stage : stages) {
    const auto layers = static_cast<std::size_t>(stage.layers);
    count += 2 * layers + 1;             // each resnet is told the time
    const std::size_t each = SpatialTransformer::linears(stage.transformer);
    count += (stage.downAttends ? layers * each : 0) + (stage.upAttends ? (layers + 1) * each : 0);
  }
  return count + (hasMiddle ? 2 + SpatialTransformer::linears(stages.back().transformer) : 0);
}

}  // namespace quantspot::model
