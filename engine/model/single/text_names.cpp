#include "engine/model/single/text_names.h"

#include "engine/model/folder.h"
#include "engine/model/single/name_rules.h"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <array>

namespace quantspot::model {
namespace {

constexpr NameRule kOpenClip[] = {
    {"transformer.resblocks.#.ln_1.*", "text_model.encoder.layers.#.layer_norm1.*"},
    {"transformer.resblocks.#.ln_2.*", "text_model.encoder.layers.#.layer_norm2.*"},
    {"transformer.resblocks.#.mlp.c_fc.*", "text_model.encoder.layers.#.mlp.fc1.*"},
    {"transformer.resblocks.#.mlp.c_proj.*", "text_model.encoder.layers.#.mlp.fc2.*"},
    {"transformer.resblocks.#.attn.out_proj.*", "text_model.encoder.layers.#.self_attn.out_proj.*"},
    {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
    {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    {"ln_final.*", "text_model.final_layer_norm.*"}};
// The fused projections: the layer, to which q_proj and so on is put.
constexpr NameRule kFused[] = {{"transformer.resblocks.#.attn.in_proj_*", "text_model.encoder.layers.#.self_attn.*"}};

std::int64_t extent(const Shapes& file, const std::string& name, std::size_t axis) {
  const auto found = file.find(name);
  if (found == file.end() || axis >= found->second.size())
    throw ModelError(fmt::format("tensor '{}' is missing or has too few dimensions; this is no whole text encoder", name));
  return found->second[axis];
}

std::int64_t countOf(const Shapes& file, const std::string& before, const std::string& after) {
  std::int64_t count = 0;
  while (file.contains(fmt::format("{}{}{}", before, count, after))) ++count;
  return count;
}

Views stripped(const Shapes& file, const std::string& prefix, std::initializer_list<std::string_view> starts) {
  Views views;
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.starts_with(prefix); ++it) {
    const std::string_view name = std::string_view(it->first).substr(prefix.size());
    for (const std::string_view start : starts)
      if (name.starts_with(start) && !name.ends_with("position_ids")) views[std::string(name)] = {.tensor = it->first};
  }
  return views;
}

// width: of the hidden states; every published CLIP has heads of 64.
nlohmann::json textConfig(std::int64_t width, std::int64_t layers, std::int64_t middle, std::int64_t tokens, std::int64_t positions,
                          std::int64_t projected, const char* act) {
  constexpr std::int64_t kHead = 64;
  return {{"_class_name", projected > 0 ? "CLIPTextModelWithProjection" : "CLIPTextModel"},
          {"model_type", "clip_text_model"}, {"hidden_size", width}, {"intermediate_size", middle}, {"num_hidden_layers", layers},
          {"num_attention_heads", std::max<std::int64_t>(width / kHead, 1)}, {"max_position_embeddings", positions}, {"vocab_size", tokens},
          {"projection_dim", projected > 0 ? projected : width}, {"hidden_act", act}, {"layer_norm_eps", 1e-5}, {"bos_token_id", 0},
          {"eos_token_id", 2}};
}

}  // namespace

bool hasClip(const Shapes& file, const std::string& prefix) {
  return file.contains(prefix + "text_model.embeddings.token_embedding.weight") && file.contains(prefix + "text_model.final_layer_norm.weight");
}

Views clipViews(const Shapes& file, const std::string& prefix) { return stripped(file, prefix, {"text_model.", "text_projection."}); }

nlohmann::json clipConfig(const Shapes& file, const std::string& prefix) {
  const std::string model = prefix + "text_model.", tokens = model + "embeddings.token_embedding.weight", layers = model + "encoder.layers.";
  const auto projection = file.find(prefix + "text_projection.weight");
  const std::int64_t width = extent(file, tokens, 1);
  // clip_l.safetensors of ComfyUI has CLIP-L's own projection, square; only OpenCLIP's models are used with it.
  constexpr std::int64_t kClipL = 768;
  const bool projected = projection != file.end() && width != kClipL;
  return textConfig(width, countOf(file, layers, ".layer_norm1.weight"), extent(file, layers + "0.mlp.fc1.weight", 0), extent(file, tokens, 0),
                    extent(file, model + "embeddings.position_embedding.weight", 0), projected ? projection->second.front() : 0,
                    projected ? "gelu" : "quick_gelu");
}

bool hasOpenClip(const Shapes& file, const std::string& prefix) {
  return file.contains(prefix + "positional_embedding") && file.contains(prefix + "transformer.resblocks.0.attn.in_proj_weight");
}

Views openClipViews(const Shapes& file, const std::string& prefix, bool penultimate) {
  const std::int64_t last = countOf(file, prefix + "transformer.resblocks.", ".ln_1.weight") - 1;
  const std::string left = fmt::format("transformer.resblocks.{}.", last);
  Views views;
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.starts_with(prefix); ++it) {
    const std::string_view name = std::string_view(it->first).substr(prefix.size());
    if (penultimate && (name.starts_with(left) || name == "text_projection")) continue;
    if (const auto plain = translate(kOpenClip, name)) views[*plain] = {.tensor = it->first};
    else if (name == "text_projection") views["text_projection.weight"] = {.tensor = it->first, .transposed = true};
    else if (auto layer = translate(kFused, name)) {
      const std::size_t dot = layer->rfind('.');
      const std::int64_t rows = it->second.empty() ? 0 : it->second.front() / 3;
      constexpr std::array<const char*, 3> parts = {"q_proj", "k_proj", "v_proj"};
      for (std::size_t i = 0; i < parts.size(); ++i)
        views[fmt::format("{}.{}.{}", layer->substr(0, dot), parts[i], layer->substr(dot + 1))] = {it->first, static_cast<std::int64_t>(i) * rows,
                                                                                                   rows};
    }
  }
  return views;
}

nlohmann::json openClipConfig(const Shapes& file, const std::string& prefix, bool penultimate) {
  const std::string blocks = prefix + "transformer.resblocks.", tokens = prefix + "token_embedding.weight";
  const auto projection = file.find(prefix + "text_projection");
  const std::int64_t projected = penultimate || projection == file.end() || projection->second.size() != 2 ? 0 : projection->second[1];
  const std::int64_t layers = countOf(file, blocks, ".ln_1.weight") - (penultimate ? 1 : 0);
  return textConfig(extent(file, tokens, 1), layers, extent(file, blocks + "0.mlp.c_fc.weight", 0),
                    extent(file, tokens, 0), extent(file, prefix + "positional_embedding", 0), projected, "gelu");
}

bool hasT5(const Shapes& file, const std::string& prefix) {
  const std::string widening = prefix + "encoder.block.0.layer.1.DenseReluDense.wi";
  return file.contains(prefix + "shared.weight") && (file.contains(widening + "_1.weight") || file.contains(widening + ".weight"));
}

Views t5Views(const Shapes& file, const std::string& prefix) { return stripped(file, prefix, {"shared.", "encoder."}); }

nlohmann::json t5Config(const Shapes& file, const std::string& prefix) {
  const std::string block = prefix + "encoder.block.", bias = block + "0.layer.0.SelfAttention.relative_attention_bias.weight";
  const std::int64_t heads = extent(file, bias, 1), inner = extent(file, block + "0.layer.0.SelfAttention.q.weight", 0);
  if (heads < 1) throw ModelError(fmt::format("tensor '{}' is empty; this is no T5 encoder", bias));
  // T5 1.0 widens once and cuts off below zero; 1.1 and its kin gate by a second matrix.
  const std::string widening = block + "0.layer.1.DenseReluDense.wi";
  const bool gated = file.contains(widening + "_1.weight");
  return {{"_class_name", "T5EncoderModel"}, {"model_type", "t5"}, {"d_model", extent(file, prefix + "shared.weight", 1)},
          {"vocab_size", extent(file, prefix + "shared.weight", 0)}, {"num_heads", heads}, {"d_kv", inner / heads},
          {"num_layers", countOf(file, block, ".layer.0.SelfAttention.q.weight")},
          {"d_ff", extent(file, widening + (gated ? "_0.weight" : ".weight"), 0)}, {"relative_attention_num_buckets", extent(file, bias, 0)},
          {"relative_attention_max_distance", 128}, {"feed_forward_proj", gated ? "gated-gelu" : "relu"}, {"is_gated_act", gated},
          {"dense_act_fn", gated ? "gelu_new" : "relu"}, {"layer_norm_epsilon", 1e-6}, {"tie_word_embeddings", !gated}};
}

}  // namespace quantspot::model
