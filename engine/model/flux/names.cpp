#include "engine/model/flux/names.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

namespace quantspot::model {
namespace {

constexpr std::int64_t kMlpShare = 4;   // rows of the MLP for one of q, k and v

FluxEntry layer(std::string name, std::string part) { return {.name = std::move(name), .parts = {{std::move(part)}}}; }

FluxEntry norm(std::string name, std::string part) { return {.name = std::move(name), .parts = {{std::move(part)}}, .isNorm = true}; }

void addAround(std::vector<FluxEntry>& all, bool guidance) {
  const auto embedder = [&](const char* name, const char* part) {
    all.push_back(layer(fmt::format("{}.in_layer", name), fmt::format("time_text_embed.{}.linear_1", part)));
    all.push_back(layer(fmt::format("{}.out_layer", name), fmt::format("time_text_embed.{}.linear_2", part)));
  };
  all.push_back(layer("img_in", "x_embedder"));
  embedder("time_in", "timestep_embedder");
  embedder("vector_in", "text_embedder");
  if (guidance) embedder("guidance_in", "guidance_embedder");
  all.push_back(layer("txt_in", "context_embedder"));
}

// One stream of a double block: `side` is "img" or "txt".
void addStream(std::vector<FluxEntry>& all, const std::string& name, const std::string& block, bool image) {
  const std::string from = name + (image ? "img_" : "txt_"), attention = block + "attn.", feedForward = block + (image ? "ff" : "ff_context");
  const auto projection = [&](const char* which) { return FluxPart{attention + (image ? fmt::format("to_{}", which) : fmt::format("add_{}_proj", which))}; };
  all.push_back(layer(from + "mod.lin", block + (image ? "norm1.linear" : "norm1_context.linear")));
  all.push_back({.name = from + "attn.qkv", .parts = {projection("q"), projection("k"), projection("v")}});
  all.push_back(norm(from + "attn.norm.query_norm", attention + (image ? "norm_q" : "norm_added_q")));
  all.push_back(norm(from + "attn.norm.key_norm", attention + (image ? "norm_k" : "norm_added_k")));
  all.push_back(layer(from + "attn.proj", attention + (image ? "to_out.0" : "to_add_out")));
  all.push_back(layer(from + "mlp.0", feedForward + ".net.0.proj"));
  all.push_back(layer(from + "mlp.2", feedForward + ".net.2"));
}

void addSingle(std::vector<FluxEntry>& all, const std::string& name, const std::string& block) {
  all.push_back({.name = name + "linear1",
                 .parts = {{block + "attn.to_q"}, {block + "attn.to_k"}, {block + "attn.to_v"}, {block + "proj_mlp", kMlpShare}}});
  all.push_back(layer(name + "linear2", block + "proj_out"));
  all.push_back(norm(name + "norm.query_norm", block + "attn.norm_q"));
  all.push_back(norm(name + "norm.key_norm", block + "attn.norm_k"));
  all.push_back(layer(name + "modulation.lin", block + "norm.linear"));
}

}  // namespace

std::vector<FluxEntry> fluxEntries(std::int64_t doubleBlocks, std::int64_t singleBlocks, bool guidance) {
  std::vector<FluxEntry> all;
  addAround(all, guidance);
  for (std::int64_t i = 0; i < doubleBlocks; ++i)
    for (const bool image : {true, false}) addStream(all, fmt::format("double_blocks.{}.", i), fmt::format("transformer_blocks.{}.", i), image);
  for (std::int64_t i = 0; i < singleBlocks; ++i) addSingle(all, fmt::format("single_blocks.{}.", i), fmt::format("single_transformer_blocks.{}.", i));
  all.push_back(layer("final_layer.linear", "proj_out"));
  all.push_back({.name = "final_layer.adaLN_modulation.1", .parts = {{"norm_out.linear"}}, .swapsHalves = true});
  return all;
}

std::optional<FluxEntry> fluxEntry(std::string_view name) {
  const auto plain = [](std::string text) {
    std::ranges::replace(text, '.', '_');
    return text;
  };
  const std::string wanted = plain(std::string(name));
  // As many blocks as the number in the name asks for.
  const std::size_t digits = wanted.find_first_of("0123456789");
  std::int64_t block = 0;
  if (wanted.find("_blocks_") != std::string::npos && digits != std::string::npos)
    std::from_chars(wanted.data() + digits, wanted.data() + wanted.size(), block);
  if (block > 1000) return {};
  for (FluxEntry& entry : fluxEntries(block + 1, block + 1, true))
    if (plain(entry.name) == wanted) return std::move(entry);
  return {};
}

}  // namespace quantspot::model
