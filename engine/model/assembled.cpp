#include "engine/model/assembled.h"

#include "engine/model/config.h"
#include "engine/model/gguf_weights.h"

#include <spdlog/fmt/fmt.h>
#include <stdlib.h>

#include <fstream>

namespace quantspot::model {
namespace {

namespace fs = std::filesystem;

std::int64_t countBlocks(const GgufWeights& weights, const char* blocks) {
  std::int64_t count = 0;
  while (weights.has(fmt::format("{}.{}.attn.to_q.weight", blocks, count))) ++count;
  return count;
}

std::int64_t extent(const GgufWeights& weights, const char* tensor, std::size_t axis) {
  if (!weights.has(tensor)) throw ModelError(fmt::format("{}: tensor '{}' is missing; this is no whole FLUX transformer", weights.path().string(), tensor));
  return weights.shape(tensor).at(axis);
}

void linkFiles(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file()) fs::create_symlink(fs::absolute(entry.path()), to / entry.path().filename());
}

}  // namespace

nlohmann::json fluxConfig(const GgufWeights& weights) {
  constexpr std::int64_t headOfFlux1 = 128;
  const std::int64_t head = extent(weights, "transformer_blocks.0.attn.norm_q.weight", 0);
  if (head != headOfFlux1)
    throw ModelError(fmt::format("{}: its attention heads are {} wide, not {} as in FLUX.1; put the transformer's config.json into the parts' transformer folder",
                                 weights.path().string(), head, headOfFlux1));
  return {{"_class_name", "FluxTransformer2DModel"},
          {"attention_head_dim", head},
          {"num_attention_heads", extent(weights, "x_embedder.weight", 0) / head},
          {"in_channels", extent(weights, "x_embedder.weight", 1)},
          {"joint_attention_dim", extent(weights, "context_embedder.weight", 1)},
          {"pooled_projection_dim", extent(weights, "time_text_embed.text_embedder.linear_1.weight", 1)},
          {"num_layers", countBlocks(weights, "transformer_blocks")},
          {"num_single_layers", countBlocks(weights, "single_transformer_blocks")},
          {"guidance_embeds", weights.has("time_text_embed.guidance_embedder.linear_1.weight")},
          {"axes_dims_rope", {16, 56, 56}},
          {"patch_size", 1}};
}

AssembledPipeline::AssembledPipeline(const fs::path& gguf, const fs::path& parts) {
  if (!fs::exists(parts / "model_index.json"))
    throw ModelError(fmt::format("{}: is no diffusers pipeline: model_index.json is missing", parts.string()));
  std::string pattern = (fs::temp_directory_path() / "quantspot-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw ModelError(fmt::format("{}: a temporary folder cannot be made", pattern));
  temporary_ = pattern;
  folder_ = temporary_ / gguf.stem();
  try {
    fill(gguf, parts);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
    throw;
  }
}

void AssembledPipeline::fill(const fs::path& gguf, const fs::path& parts) const {
  linkFiles(parts, folder_);
  for (const auto& entry : fs::directory_iterator(parts))
    if (entry.is_directory() && entry.path().filename() != "transformer") linkFiles(entry.path(), folder_ / entry.path().filename());
  fs::create_directories(folder_ / "transformer");
  fs::create_symlink(fs::absolute(gguf), folder_ / "transformer" / gguf.filename());
  if (const fs::path config = parts / "transformer/config.json"; fs::exists(config))
    fs::create_symlink(fs::absolute(config), folder_ / "transformer/config.json");
  else
    std::ofstream(folder_ / "transformer/config.json") << fluxConfig(GgufWeights(gguf)).dump(2);
}

AssembledPipeline::~AssembledPipeline() {
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);   // links go, not what they lead to
}

}  // namespace quantspot::model
