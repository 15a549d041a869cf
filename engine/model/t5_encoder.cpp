#include "engine/model/t5_encoder.h"

#include "engine/model/config.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <cmath>

namespace quantspot::model {
namespace {

// Small distances have a bucket each, larger ones share logarithmic buckets; half of the buckets are for the keys that follow.
at::Tensor buckets(const at::Tensor& distance, std::int64_t count, std::int64_t maxDistance) {
  const std::int64_t half = count / 2, exact = half / 2;
  const auto magnitude = distance.abs();
  const auto logarithmic = at::log(magnitude.to(at::kFloat) / static_cast<double>(exact)) /
                           std::log(static_cast<double>(maxDistance) / static_cast<double>(exact)) * static_cast<double>(half - exact);
  const auto far = (exact + logarithmic.to(at::kLong)).clamp_max(half - 1);
  return distance.gt(0).to(at::kLong) * half + at::where(magnitude.lt(exact), magnitude, far);
}

bool isGated(const Config& c) { return c.get<std::string>("feed_forward_proj", "relu").starts_with("gated-"); }

}  // namespace

std::size_t T5Encoder::linears(const std::filesystem::path& folder) {
  const Config c(folder / "config.json");
  return (isGated(c) ? 7 : 6) * static_cast<std::size_t>(c.positive("num_layers", 6));
}

// The variance and the scaled values are float32 whatever the compute type; only the weight is applied in that.
at::Tensor T5Encoder::Norm::operator()(const at::Tensor& x) const {
  const auto variance = x.to(at::kFloat).pow(2).mean(-1, true);
  return weight * (x * at::rsqrt(variance + eps)).to(weight.scalar_type());
}

T5Encoder::T5Encoder(const std::filesystem::path& folder, const LoadOptions& options, const std::string& prefix) {
  const Config c(folder / "config.json");
  if (c.get<std::string>("model_type", "t5") != "t5") c.fail("model_type", "is not supported; t5 is");
  width_ = c.positive("d_model", 512);
  hidden_ = c.positive("d_ff", 2048);
  heads_ = c.positive("num_heads", 8);
  inner_ = heads_ * c.positive("d_kv", 64);
  maxDistance_ = c.positive("relative_attention_max_distance", 128);
  eps_ = c.get("layer_norm_epsilon", 1e-6);
  const std::int64_t bucketCount = c.positive("relative_attention_num_buckets", 32), count = c.positive("num_layers", 6);
  if (bucketCount < 4) c.fail("relative_attention_num_buckets", "must be at least 4");
  const auto feedForward = c.get<std::string>("feed_forward_proj", "relu");
  gated_ = isGated(c);
  // "gated-gelu" means the tanh form: transformers keeps it so for T5 1.1.
  act_ = findActivation(feedForward == "gated-gelu" ? "gelu_new" : feedForward.substr(gated_ ? 6 : 0));
  if (!act_) c.fail("feed_forward_proj", "is not a known activation");

  Parameters p(folder, options, linears(folder), prefix);
  const char* const table = p.has("shared.weight") ? "shared" : "encoder.embed_tokens";
  tokens_ = p.embedding(table, c.positive("vocab_size", 32128), width_);
  relativeBias_ = p.embedding("encoder.block.0.layer.0.SelfAttention.relative_attention_bias", bucketCount, heads_);
  for (std::int64_t i = 0; i < count; ++i) layers_.push_back(load(p, fmt::format("encoder.block.{}.layer.", i)));
  norm_ = {p.rmsNorm("encoder.final_layer_norm", width_, eps_).weight, eps_};
  ledger_ = p.takeLedger();
}

T5Encoder::Layer T5Encoder::load(Parameters& p, const std::string& name) const {
  const auto linear = [&](const char* layer, std::int64_t in, std::int64_t out) { return p.linear(name + layer, in, out, false); };
  Layer l;
  l.attentionNorm = {p.rmsNorm(name + "0.layer_norm", width_, eps_).weight, eps_};
  l.mlpNorm = {p.rmsNorm(name + "1.layer_norm", width_, eps_).weight, eps_};
  l.q = linear("0.SelfAttention.q", width_, inner_);
  l.k = linear("0.SelfAttention.k", width_, inner_);
  l.v = linear("0.SelfAttention.v", width_, inner_);
  l.o = linear("0.SelfAttention.o", inner_, width_);
  if (gated_) l.gate = linear("1.DenseReluDense.wi_0", width_, hidden_);
  l.up = linear(gated_ ? "1.DenseReluDense.wi_1" : "1.DenseReluDense.wi", width_, hidden_);
  l.down = linear("1.DenseReluDense.wo", hidden_, width_);
  return l;
}

at::Tensor T5Encoder::positionBias(std::int64_t length) const {
  const auto position = at::arange(length, relativeBias_.options().dtype(at::kLong));
  const auto bucket = buckets(position.unsqueeze(0) - position.unsqueeze(1), relativeBias_.size(0), maxDistance_);
  return at::embedding(relativeBias_, bucket).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

at::Tensor T5Encoder::forward(const at::Tensor& ids, const at::Tensor& mask) const {
  auto x = at::embedding(tokens_, ids);
  AttentionOptions options{.bias = positionBias(ids.size(1)), .causal = false, .scale = 1.0};
  if (mask.defined()) options.bias = at::where(mask.to(at::kBool).unsqueeze(1).unsqueeze(1), options.bias, -std::numeric_limits<double>::infinity());
  for (const Layer& l : layers_) {
    const auto in = l.attentionNorm(x);
    x = x + l.o(joinHeads(attention(splitHeads(l.q(in), heads_), splitHeads(l.k(in), heads_), splitHeads(l.v(in), heads_), options)));
    const auto mlpIn = l.mlpNorm(x);
    x = x + l.down(gated_ ? act_(l.gate(mlpIn)) * l.up(mlpIn) : act_(l.up(mlpIn)));
  }
  return norm_(x);
}

}  // namespace quantspot::model
