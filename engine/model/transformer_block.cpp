#include "engine/model/transformer_block.h"

#include "engine/model/ops.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {
namespace {

constexpr double kGroupEps = 1e-6, kLayerEps = 1e-5;
constexpr std::int64_t kWidening = 4;

}  // namespace

CrossAttention::CrossAttention(Parameters& p, const std::string& name, std::int64_t width, std::int64_t contextWidth, std::int64_t heads, bool bias)
    : heads_(heads), softmax_(p.options().softmax), q_(p.linear(name + "to_q", width, width, bias)), k_(p.linear(name + "to_k", contextWidth, width, bias)),
      v_(p.linear(name + "to_v", contextWidth, width, bias)), out_(p.linear(name + "to_out.0", width, width)) {}

at::Tensor CrossAttention::operator()(const at::Tensor& x, const at::Tensor& context, const at::Tensor& mask) const {
  const auto heads = [&](const Linear& layer, const at::Tensor& of) { return splitHeads(layer(of), heads_); };
  return out_(joinHeads(attention(heads(q_, x), heads(k_, context), heads(v_, context), {.bias = mask, .causal = false, .scale = {}, .softmax = softmax_})));
}

GatedFeedForward::GatedFeedForward(Parameters& p, const std::string& name, std::int64_t width)
    : up_(p.linear(name + "net.0.proj", width, 2 * kWidening * width)), down_(p.linear(name + "net.2", kWidening * width, width)) {}

at::Tensor GatedFeedForward::operator()(const at::Tensor& x) const {
  const auto halves = up_(x).chunk(2, -1);
  return down_(halves[0] * at::gelu(halves[1]));
}

at::Tensor SpatialTransformer::Block::operator()(const at::Tensor& x, const at::Tensor& context) const {
  const auto in = norm1(x);
  const auto attended = self(in, in) + x;
  const auto told = cross(norm2(attended), context) + attended;
  return feedForward(norm3(told)) + told;
}

std::size_t SpatialTransformer::linears(const SpatialTransformerShape& shape) {
  return static_cast<std::size_t>(shape.layers) * (2 * CrossAttention::kLinears + GatedFeedForward::kLinears) + (shape.linearProjection ? 2 : 0);
}

SpatialTransformer::SpatialTransformer(Parameters& p, const std::string& name, const SpatialTransformerShape& shape)
    : shape_(shape), norm_(p.groupNorm(name + "norm", shape.channels, shape.groups, kGroupEps)) {
  const std::int64_t width = shape.channels;
  if (shape.linearProjection) linearIn_ = p.linear(name + "proj_in", width, width);
  else convIn_ = p.conv(name + "proj_in", width, width, 1);
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    const std::string block = fmt::format("{}transformer_blocks.{}.", name, i);
    const auto norm = [&](const char* layer) { return p.layerNorm(block + layer, width, kLayerEps); };
    blocks_.push_back({norm("norm1"), norm("norm2"), norm("norm3"), CrossAttention(p, block + "attn1.", width, width, shape.heads),
                       CrossAttention(p, block + "attn2.", width, shape.contextWidth, shape.heads), GatedFeedForward(p, block + "ff.", width)});
  }
  if (shape.linearProjection) linearOut_ = p.linear(name + "proj_out", width, width);
  else convOut_ = p.conv(name + "proj_out", width, width, 1);
}

at::Tensor SpatialTransformer::operator()(const at::Tensor& x, const at::Tensor& context) const {
  const auto tokensOf = [](const at::Tensor& map) { return map.flatten(2).transpose(1, 2).contiguous(); };
  const auto mapOf = [&](const at::Tensor& tokens) { return tokens.transpose(1, 2).reshape(x.sizes()).contiguous(); };
  const auto normed = norm_(x);
  auto tokens = convIn_ ? tokensOf((*convIn_)(normed)) : (*linearIn_)(tokensOf(normed));
  for (const Block& block : blocks_) tokens = block(tokens, context);
  return (convOut_ ? (*convOut_)(mapOf(tokens)) : mapOf((*linearOut_)(tokens))) + x;
}

}  // namespace quantspot::model
