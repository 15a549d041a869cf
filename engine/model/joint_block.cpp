#include "engine/model/joint_block.h"

#include "engine/model/ops.h"

#include <ATen/ATen.h>

namespace quantspot::model {
namespace {

constexpr double kEps = 1e-6;
constexpr std::int64_t kMlpRatio = 4;

// (B, D) → (B, 1, D)
at::Tensor perToken(const at::Tensor& x) { return x.unsqueeze(1); }

}  // namespace

at::Tensor attendHeads(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const HeadsOptions& options) {
  const auto placed = [&](const at::Tensor& x) { return (options.rotary ? options.rotary->apply(x) : x).transpose(1, 2); };
  const AttentionOptions how{.bias = {}, .causal = false, .scale = {}, .softmax = options.softmax};
  return joinHeads(attention(placed(q), placed(k), v.transpose(1, 2), how)).to(q.scalar_type());
}

at::Tensor modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return at::layer_norm(x, {x.size(-1)}, {}, {}, kEps) * (1 + perToken(scale)) + perToken(shift);
}

struct JointBlock::Names {
  const char *modulation, *q, *k, *v, *out, *normQ, *normK, *up, *down;
};

std::size_t JointBlock::linears(const JointOptions& options) { return 14 - (options.lastOfText ? 3 : 0) + (options.dual ? 4 : 0); }

JointBlock::JointBlock(Parameters& p, const std::string& name, const BlockShape& shape, const JointOptions& options)
    : shape_(shape), options_(options), softmax_(p.options().softmax) {
  static constexpr Names kImage = {"norm1.linear", "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "attn.norm_q", "attn.norm_k",
      "ff.net.0.proj", "ff.net.2"};
  static constexpr Names kText = {"norm1_context.linear", "attn.add_q_proj",   "attn.add_k_proj",       "attn.add_v_proj", "attn.to_add_out",
                                  "attn.norm_added_q",    "attn.norm_added_k", "ff_context.net.0.proj", "ff_context.net.2"};
  static constexpr Names kSecond = {nullptr, "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0", "attn2.norm_q", "attn2.norm_k", nullptr,
      nullptr};
  image_ = load(p, name, kImage, options.dual ? 9 : 6, true);
  text_ = load(p, name, kText, options.lastOfText ? 2 : 6, !options.lastOfText);
  if (!options.dual) return;
  second_ = loadProjection(p, name, kSecond);
  secondOut_ = p.linear(name + kSecond.out, shape.width(), shape.width());
}

JointBlock::Projection JointBlock::loadProjection(Parameters& p, const std::string& name, const Names& n) const {
  const std::int64_t width = shape_.width();
  Projection made{.q = p.linear(name + n.q, width, width), .k = p.linear(name + n.k, width, width), .v = p.linear(name + n.v, width, width),
      .normQ = {}, .normK = {}};
  if (!options_.normedHeads) return made;
  made.normQ = p.rmsNorm(name + n.normQ, shape_.headWidth, kEps);
  made.normK = p.rmsNorm(name + n.normK, shape_.headWidth, kEps);
  return made;
}

// Not whole: the stream ends with its keys and values.
JointBlock::Stream JointBlock::load(Parameters& p, const std::string& name, const Names& n, std::int64_t modulations, bool whole) const {
  const std::int64_t width = shape_.width();
  Stream s;
  s.modulation = p.linear(name + n.modulation, width, modulations * width);
  s.in = loadProjection(p, name, n);
  if (!whole) return s;
  s.out = p.linear(name + n.out, width, width);
  s.up = p.linear(name + n.up, width, kMlpRatio * width);
  s.down = p.linear(name + n.down, kMlpRatio * width, width);
  return s;
}

JointBlock::Heads JointBlock::project(const Projection& projection, const at::Tensor& x) const {
  const auto heads = [&](const at::Tensor& joined) { return joined.unflatten(-1, {-1, shape_.headWidth}); };
  Heads made{heads(projection.q(x)), heads(projection.k(x)), heads(projection.v(x))};
  if (projection.normQ) made = {(*projection.normQ)(made.q), (*projection.normK)(made.k), made.v};
  return made;
}

at::Tensor JointBlock::feedForward(const Stream& s, const at::Tensor& x, const std::vector<at::Tensor>& m) const {
  return x + perToken(m[5]) * s.down(at::gelu(s.up(modulated(x, m[3], m[4])), "tanh"));
}

Tokens JointBlock::forward(const Tokens& tokens, const at::Tensor& conditioning, const Rotary* rotary) const {
  // In this order: shift, scale and gate of the attention, of the MLP, of the second attention. Of a text that ends here: scale and shift.
  const auto signal = at::silu(conditioning);
  const auto image = image_.modulation(signal).chunk(options_.dual ? 9 : 6, 1), text = text_.modulation(signal).chunk(options_.lastOfText ? 2 : 6, 1);
  const auto imageIn = modulated(tokens.image, image[0], image[1]);
  const auto textIn = options_.lastOfText ? modulated(tokens.text, text[1], text[0]) : modulated(tokens.text, text[0], text[1]);
  const Heads ofText = project(text_.in, textIn), ofImage = project(image_.in, imageIn);
  const auto joined = [](const at::Tensor& text, const at::Tensor& image) { return at::cat({text, image}, 1); };
  const auto attended =
      attendHeads(joined(ofText.q, ofImage.q), joined(ofText.k, ofImage.k), joined(ofText.v, ofImage.v), {.rotary = rotary, .softmax = softmax_});
  const std::int64_t length = tokens.text.size(1);
  auto imageOut = tokens.image + perToken(image[2]) * image_.out(attended.slice(1, length).contiguous());
  if (options_.dual) {
    const Heads own = project(second_, modulated(tokens.image, image[6], image[7]));
    imageOut = imageOut + perToken(image[8]) * secondOut_(attendHeads(own.q, own.k, own.v, {.rotary = nullptr, .softmax = softmax_}));
  }
  if (options_.lastOfText) return {.text = {}, .image = feedForward(image_, imageOut, image)};
  const auto textOut = tokens.text + perToken(text[2]) * text_.out(attended.slice(1, 0, length).contiguous());
  return {feedForward(text_, textOut, text), feedForward(image_, imageOut, image)};
}

}  // namespace quantspot::model
