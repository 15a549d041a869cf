#include "engine/model/kl_blocks.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

constexpr double kEps = 1e-6;

}  // namespace

KlShape::KlShape(const Config& c, const KlHalf& half) {
  const std::int64_t groups = c.positive("norm_num_groups", 32);
  channels = c.get<std::vector<std::int64_t>>("block_out_channels", {64});
  const auto types = c.get<std::vector<std::string>>(half.blockTypes, {half.blockType});
  if (std::ranges::any_of(types, [&](const std::string& type) { return type != half.blockType; }))
    c.fail(half.blockTypes, fmt::format("is not supported; only {} is", half.blockType));
  if (channels.empty() || channels.size() != types.size()) c.fail("block_out_channels", fmt::format("must have one entry per {}", half.blockTypes));
  if (std::ranges::any_of(channels, [&](std::int64_t n) { return n < 1 || n % groups != 0; }))
    c.fail("block_out_channels", fmt::format("must be multiples of norm_num_groups={}", groups));
  const Activation act = findActivation(c.get<std::string>("act_fn", "silu"));
  if (!act) c.fail("act_fn", "is not a known activation");
  resnet = {.groups = groups, .eps = kEps, .act = act};
  layers = c.positive("layers_per_block", 1);
  latentChannels = c.positive("latent_channels", 4);
  attends = c.get("mid_block_add_attention", true);
}

KlMiddle::KlMiddle(Parameters& p, const std::string& name, const KlShape& shape)
    : first_(p, name + "resnets.0.", shape.channels.back(), shape.channels.back(), shape.resnet),
      second_(p, name + "resnets.1.", shape.channels.back(), shape.channels.back(), shape.resnet) {
  if (shape.attends) attention_ = load(p, name + "attentions.0.", shape);
}

KlMiddle::Attention KlMiddle::load(Parameters& p, const std::string& name, const KlShape& shape) {
  const std::int64_t width = shape.channels.back();
  // Folders written before diffusers 0.13 use the second name.
  const auto layer = [&](const char* now, const char* before) { return name + (p.has(name + before + ".weight") ? before : now); };
  const auto project = [&](const char* now, const char* before) -> Projection {
    const std::string full = layer(now, before);
    Linear product = p.linear(full, width, width, false);
    return {std::move(product), p.biasOf(full, width)};
  };
  GroupNorm norm = p.groupNorm(name + "group_norm", width, shape.resnet.groups, kEps);
  Projection q = project("to_q", "query"), k = project("to_k", "key"), v = project("to_v", "value");
  return {std::move(norm), std::move(q), std::move(k), std::move(v), p.linear(layer("to_out.0", "proj_attn"), width, width)};
}

at::Tensor KlMiddle::Attention::operator()(const at::Tensor& x) const {
  const auto in = norm(x.flatten(2)).transpose(1, 2);
  const auto attended = out(joinHeads(attention(splitHeads(q(in), 1), splitHeads(k(in), 1), splitHeads(v(in), 1))));
  return attended.transpose(1, 2).reshape(x.sizes()) + x;
}

at::Tensor KlMiddle::operator()(const at::Tensor& x) const {
  const auto hidden = first_(x);
  return second_(attention_ ? (*attention_)(hidden) : hidden);
}

}  // namespace quantspot::model
