#include "metrics/clip_vision.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace quantspot::metrics {

ClipVision::ClipVision(const ClipVisionConfig& config, std::int64_t projection, const Tensors& tensors) : config_(config) {
  const auto width = config.hidden, wide = config.intermediate, side = config.patch > 0 ? config.imageSize / config.patch : 0;
  if (side < 1 || config.heads < 1 || width % config.heads != 0) throw std::invalid_argument("the vision_config of the CLIP model contradicts itself");
  const auto read = [&](const std::string& name, const std::vector<std::int64_t>& shape) { return tensors(name, shape).to(at::kFloat); };
  const auto linear = [&](const std::string& name, std::int64_t in, std::int64_t out) {
    return Affine{read(name + ".weight", {out, in}), read(name + ".bias", {out})};
  };
  const auto norm = [&](const std::string& name) { return Affine{read(name + ".weight", {width}), read(name + ".bias", {width})}; };
  const std::string root = "vision_model.";
  class_ = read(root + "embeddings.class_embedding", {width});
  patches_ = read(root + "embeddings.patch_embedding.weight", {width, 3, config.patch, config.patch});
  positions_ = read(root + "embeddings.position_embedding.weight", {side * side + 1, width});
  before_ = norm(root + "pre_layrnorm");   // the misspelling is in the format
  after_ = norm(root + "post_layernorm");
  projection_ = read("visual_projection.weight", {projection, width});
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const std::string name = root + "encoder.layers." + std::to_string(i) + ".";
    layers_.push_back({norm(name + "layer_norm1"), norm(name + "layer_norm2"), linear(name + "self_attn.q_proj", width, width),
                       linear(name + "self_attn.k_proj", width, width), linear(name + "self_attn.v_proj", width, width),
                       linear(name + "self_attn.out_proj", width, width), linear(name + "mlp.fc1", width, wide), linear(name + "mlp.fc2", wide, width)});
  }
}

at::Tensor ClipVision::norm(const Affine& affine, const at::Tensor& x) const {
  return at::layer_norm(x, {config_.hidden}, affine.weight, affine.bias, config_.eps);
}

at::Tensor ClipVision::forward(const Layer& layer, const at::Tensor& x) const {
  const auto heads = [&](const Affine& a, const at::Tensor& in) {
    return at::linear(in, a.weight, a.bias).unflatten(-1, {config_.heads, -1}).transpose(1, 2);
  };
  const at::Tensor in = norm(layer.norm1, x);
  const at::Tensor attended = at::scaled_dot_product_attention(heads(layer.q, in), heads(layer.k, in), heads(layer.v, in));
  const at::Tensor middle = x + at::linear(attended.transpose(1, 2).flatten(2), layer.out.weight, layer.out.bias);
  const at::Tensor up = at::linear(norm(layer.norm2, middle), layer.up.weight, layer.up.bias);
  const at::Tensor active = config_.quickGelu ? up * (1.702 * up).sigmoid() : at::gelu(up);
  return middle + at::linear(active, layer.down.weight, layer.down.bias);
}

at::Tensor ClipVision::features(const at::Tensor& pixels) const {
  const at::Tensor grid = at::conv2d(pixels, patches_, {}, config_.patch).flatten(2).transpose(1, 2);
  const at::Tensor first = class_.expand({pixels.size(0), 1, config_.hidden});
  at::Tensor x = norm(before_, at::cat({first, grid}, 1) + positions_.unsqueeze(0));
  for (const Layer& layer : layers_) x = forward(layer, x);
  const at::Tensor out = at::linear(norm(after_, x.select(1, 0)), projection_);
  return out / out.norm(2, -1, true);
}

at::Tensor clipCosines(const at::Tensor& images, const at::Tensor& texts) {
  return 100 * (images.to(at::kDouble) * texts.to(at::kDouble)).sum(-1);
}

}  // namespace quantspot::metrics
