#include "engine/model/flux/blocks.h"

#include "engine/model/ops.h"

#include <ATen/ATen.h>

namespace quantspot::model {
namespace {

constexpr double kEps = 1e-6;
constexpr std::int64_t kMlpRatio = 4;
constexpr double kTheta = 10000.0;

at::Tensor normalized(const at::Tensor& x) { return at::layer_norm(x, {x.size(-1)}, {}, {}, kEps); }

// (B, D) → (B, 1, D)
at::Tensor perToken(const at::Tensor& x) { return x.unsqueeze(1); }

at::Tensor modulated(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift) {
  return normalized(x) * (1 + perToken(scale)) + perToken(shift);
}

at::Tensor heads(const at::Tensor& x, std::int64_t headWidth) { return x.unflatten(-1, {-1, headWidth}); }

// q, k, v (B, S, H, D) → (B, S, H·D)
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Rotary& rotary) {
  const auto out = attention(rotary.apply(q).transpose(1, 2), rotary.apply(k).transpose(1, 2), v.transpose(1, 2));
  return joinHeads(out).to(q.scalar_type());
}

}  // namespace

Rotary Rotary::fromIds(const at::Tensor& ids, const std::vector<std::int64_t>& axesDims) {
  std::vector<at::Tensor> cos, sin;
  const at::Tensor positions = ids.to(at::kFloat);
  for (std::size_t axis = 0; axis < axesDims.size(); ++axis) {
    const std::int64_t width = axesDims[axis];
    const auto exponents = at::arange(0, width, 2, positions.options().dtype(at::kDouble)) / static_cast<double>(width);
    const auto angles = at::outer(positions.select(1, static_cast<std::int64_t>(axis)), at::pow(kTheta, exponents).reciprocal());
    cos.push_back(at::cos(angles).repeat_interleave(2, 1).to(at::kFloat));
    sin.push_back(at::sin(angles).repeat_interleave(2, 1).to(at::kFloat));
  }
  return {at::cat(cos, -1), at::cat(sin, -1)};
}

at::Tensor Rotary::apply(const at::Tensor& x) const {
  const auto pairs = x.to(at::kFloat).unflatten(-1, {-1, 2});
  const auto turned = at::stack({-pairs.select(-1, 1), pairs.select(-1, 0)}, -1).flatten(3);
  return (pairs.flatten(3) * cos.unsqueeze(1) + turned * sin.unsqueeze(1)).to(x.scalar_type());
}

struct DoubleBlock::Names {
  const char *modulation, *q, *k, *v, *out, *normQ, *normK, *up, *down;
};

DoubleBlock::DoubleBlock(Parameters& parameters, const std::string& name, const BlockShape& shape) : shape_(shape) {
  static constexpr Names kImage = {"norm1.linear",  "attn.to_q",   "attn.to_k",        "attn.to_v", "attn.to_out.0",
                                   "attn.norm_q", "attn.norm_k", "ff.net.0.proj", "ff.net.2"};
  static constexpr Names kText = {"norm1_context.linear", "attn.add_q_proj",   "attn.add_k_proj",       "attn.add_v_proj", "attn.to_add_out",
                                  "attn.norm_added_q",    "attn.norm_added_k", "ff_context.net.0.proj", "ff_context.net.2"};
  image_ = load(parameters, name, kImage, shape);
  text_ = load(parameters, name, kText, shape);
}

DoubleBlock::Stream DoubleBlock::load(Parameters& p, const std::string& name, const Names& n, const BlockShape& shape) {
  const std::int64_t width = shape.width();
  const auto linear = [&](const char* layer, std::int64_t in, std::int64_t out) { return p.linear(name + layer, in, out); };
  Stream s;
  s.modulation = linear(n.modulation, width, 6 * width);
  s.q = linear(n.q, width, width);
  s.k = linear(n.k, width, width);
  s.v = linear(n.v, width, width);
  s.out = linear(n.out, width, width);
  s.normQ = p.rmsNorm(name + n.normQ, shape.headWidth, kEps);
  s.normK = p.rmsNorm(name + n.normK, shape.headWidth, kEps);
  s.up = linear(n.up, width, kMlpRatio * width);
  s.down = linear(n.down, kMlpRatio * width, width);
  return s;
}

at::Tensor DoubleBlock::feedForward(const Stream& s, const at::Tensor& x, const std::vector<at::Tensor>& m) const {
  return x + perToken(m[5]) * s.down(at::gelu(s.up(modulated(x, m[4], m[3])), "tanh"));
}

Tokens DoubleBlock::forward(const Tokens& tokens, const at::Tensor& conditioning, const Rotary& rotary) const {
  // In this order: shift, scale and gate of the attention, shift, scale and gate of the MLP.
  const auto signal = at::silu(conditioning);
  const auto image = image_.modulation(signal).chunk(6, 1), text = text_.modulation(signal).chunk(6, 1);
  const auto imageIn = modulated(tokens.image, image[1], image[0]), textIn = modulated(tokens.text, text[1], text[0]);
  const auto project = [&](Linear Stream::*layer) {
    return std::pair(heads((text_.*layer)(textIn), shape_.headWidth), heads((image_.*layer)(imageIn), shape_.headWidth));
  };
  const auto [textQ, imageQ] = project(&Stream::q);
  const auto [textK, imageK] = project(&Stream::k);
  const auto [textV, imageV] = project(&Stream::v);
  const auto attended = attend(at::cat({text_.normQ(textQ), image_.normQ(imageQ)}, 1), at::cat({text_.normK(textK), image_.normK(imageK)}, 1),
                               at::cat({textV, imageV}, 1), rotary);
  const std::int64_t length = tokens.text.size(1);
  const auto imageOut = tokens.image + perToken(image[2]) * image_.out(attended.slice(1, length).contiguous());
  const auto textOut = tokens.text + perToken(text[2]) * text_.out(attended.slice(1, 0, length).contiguous());
  return {feedForward(text_, textOut, text), feedForward(image_, imageOut, image)};
}

SingleBlock::SingleBlock(Parameters& p, const std::string& name, const BlockShape& shape) : shape_(shape) {
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
  const auto in = modulated(x, m[1], m[0]);
  const auto mlp = at::gelu(up_(in), "tanh");
  const auto attended = attend(normQ_(heads(q_(in), shape_.headWidth)), normK_(heads(k_(in), shape_.headWidth)),
                               heads(v_(in), shape_.headWidth), rotary);
  return x + perToken(m[2]) * out_(at::cat({attended, mlp}, 2));
}

}  // namespace quantspot::model
