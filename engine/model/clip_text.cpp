#include "engine/model/clip_text.h"

#include "engine/model/config.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

// A folder may hold the configuration of the whole CLIPModel, with the text half inside.
Config textConfig(const std::filesystem::path& path) {
  Config config(path);
  if (!config.has("text_config")) return config;
  return Config(path, config.json()["text_config"]);
}

constexpr std::size_t kLinearsPerLayer = 6;

// Of single files, whose assembled configuration says so.
bool hasProjection(const Config& config, const ClipOptions& clip) {
  return clip.projected && config.get<std::string>("text_projection", "") != "identity";
}

}  // namespace

std::size_t ClipText::linears(const std::filesystem::path& folder, const ClipOptions& clip) {
  const Config c = textConfig(folder / "config.json");
  return kLinearsPerLayer * static_cast<std::size_t>(c.positive("num_hidden_layers", 12)) + (hasProjection(c, clip) ? 1 : 0);
}

ClipText::ClipText(const std::filesystem::path& folder, const LoadOptions& options, const std::string& prefix, const ClipOptions& clip) {
  const Config c = textConfig(folder / "config.json");
  if (const auto type = c.get<std::string>("model_type", "clip_text_model"); !type.starts_with("clip")) c.fail("model_type", "is not supported; clip_text_model is");
  if (c.get("use_attention_mask", false)) c.fail("use_attention_mask", "is not supported");
  const std::int64_t width = c.positive("hidden_size", 512), hidden = c.positive("intermediate_size", 2048);
  const std::int64_t count = c.positive("num_hidden_layers", 12);
  const double eps = c.get("layer_norm_eps", 1e-5);
  heads_ = c.positive("num_attention_heads", 8);
  if (width % heads_ != 0) c.fail("hidden_size", "must be a multiple of num_attention_heads");
  endOfText_ = c.get<std::int64_t>("eos_token_id", 49407);
  act_ = findActivation(c.get<std::string>("hidden_act", "quick_gelu"));
  if (!act_) c.fail("hidden_act", "is not a known activation");

  Parameters p(folder, options, linears(folder, clip), prefix);
  // transformers before 5 puts everything under "text_model.".
  const std::string root = p.has("text_model.final_layer_norm.weight") ? "text_model." : "";
  tokens_ = p.embedding(root + "embeddings.token_embedding", c.positive("vocab_size", 49408), width);
  positions_ = p.embedding(root + "embeddings.position_embedding", c.positive("max_position_embeddings", 77), width);
  for (std::int64_t i = 0; i < count; ++i) load(p, fmt::format("{}encoder.layers.{}.", root, i), width, hidden, eps);
  norm_ = p.layerNorm(root + "final_layer_norm", width, eps);
  if (hasProjection(c, clip)) projection_ = p.linear("text_projection", width, c.positive("projection_dim", 512), false);
  ledger_ = p.takeLedger();
}

void ClipText::load(Parameters& p, const std::string& name, std::int64_t width, std::int64_t hidden, double eps) {
  Layer& l = layers_.emplace_back();
  l.norm1 = p.layerNorm(name + "layer_norm1", width, eps);
  l.norm2 = p.layerNorm(name + "layer_norm2", width, eps);
  l.q = p.linear(name + "self_attn.q_proj", width, width);
  l.k = p.linear(name + "self_attn.k_proj", width, width);
  l.v = p.linear(name + "self_attn.v_proj", width, width);
  l.out = p.linear(name + "self_attn.out_proj", width, width);
  l.up = p.linear(name + "mlp.fc1", width, hidden);
  l.down = p.linear(name + "mlp.fc2", hidden, width);
}

at::Tensor ClipText::forward(const Layer& l, const at::Tensor& x) const {
  const auto in = l.norm1(x);
  const auto attended = attention(splitHeads(l.q(in), heads_), splitHeads(l.k(in), heads_), splitHeads(l.v(in), heads_), {.bias = {}, .causal = true, .scale = {}});
  const auto middle = x + l.out(joinHeads(attended));
  return middle + l.down(act_(l.up(l.norm2(middle))));
}

ClipText::Output ClipText::forward(const at::Tensor& ids, std::int64_t skipped, bool normed) const {
  const std::int64_t kept = static_cast<std::int64_t>(layers_.size()) - skipped;
  if (skipped < 0 || kept < 0)
    throw ModelError(fmt::format("clip_skip: {} of the text encoder's {} layers cannot be skipped", skipped, layers_.size()));
  Output out;
  auto x = at::embedding(tokens_, ids) + positions_.slice(0, 0, ids.size(1)).unsqueeze(0);
  if (kept == 0) out.sequence = x;       // as hidden_states[0]: the embeddings
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    x = forward(layers_[i], x);
    if (static_cast<std::int64_t>(i) + 1 == kept) out.sequence = x;
  }
  x = norm_(x);
  if (normed) out.sequence = skipped == 0 ? x : norm_(out.sequence);
  // Configurations written before transformers 4.31 say 2: then the highest id is the end of the text.
  const auto end = endOfText_ == 2 ? ids.argmax(-1) : ids.eq(endOfText_).to(at::kInt).argmax(-1);
  out.pooled = x.gather(1, end.view({-1, 1, 1}).expand({-1, 1, x.size(2)})).squeeze(1);
  if (projection_) out.pooled = (*projection_)(out.pooled);
  return out;
}

}  // namespace quantspot::model
