#include "engine/model/flux/blocks.h"

#include <ATen/ATen.h>

namespace quantspot::model {
namespace {

constexpr double kEps = 1e-6;
constexpr std::int64_t kMlpRatio = 4;

}  // namespace

SingleBlock::SingleBlock(Parameters& p, const std::string& name, const BlockShape& shape) : shape_(shape), softmax_(p.options().softmax) {
  const std::int64_t width = shape.width(), hidden = kMlpRatio * width;
  modulation_ = p.linear(name + "norm.linear", width, 3 * width);
  up_ = p.linear(name + "proj_mlp", width, hidden);
  out_ = p.linear(name + "proj_out", width + hidden, width);
  q_ = p.linear(name + "attn.to_q", width, width);
  k_ = p.linear(name + "attn.to_k", width, width);
  v_ = p.linear(name + "attn.to_v", width, width);
  normQ_ = p.rmsNorm(name + "attn.norm_q", shape.headWidth, kEps);
  normK_ = p.rmsNorm(name + "attn.norm_k", shape.headWidth, kEps);
}

at::Tensor SingleBlock::forward(const at::Tensor& x, const at::Tensor& conditioning, const Rotary& rotary) const {
  const auto m = modulation_(at::silu(conditioning)).chunk(3, 1);  // shift, scale, gate
  const auto in = modulated(x, m[0], m[1]);
  const auto mlp = at::gelu(up_(in), "tanh");
  const auto heads = [&](const at::Tensor& joined) { return joined.unflatten(-1, {-1, shape_.headWidth}); };
  const auto attended = attendHeads(normQ_(heads(q_(in))), normK_(heads(k_(in))), heads(v_(in)), {.rotary = &rotary, .softmax = softmax_});
  return x + m[2].unsqueeze(1) * out_(at::cat({attended, mlp}, 2));
}

}  // namespace quantspot::model
