// The vision half of transformers' CLIPModel, in float32: pictures to unit vectors beside those of the texts.
#pragma once

#include "metrics/clip_preprocess.h"

#include <functional>
#include <string>
#include <vector>

namespace quantspot::metrics {

struct ClipVisionConfig {                // of config.json, "vision_config"
  std::int64_t hidden = 768, intermediate = 3072, layers = 12, heads = 12, imageSize = 224, patch = 32;
  double eps = 1e-5;
  bool quickGelu = true;                 // else exact GELU
};

class ClipVision {
 public:
  // Gives a tensor by its name in CLIPModel's weights with the shape that it must have; throws when it cannot.
  using Tensors = std::function<at::Tensor(const std::string& name, const std::vector<std::int64_t>& shape)>;
  // projection: length of the common vectors ("projection_dim").
  ClipVision(const ClipVisionConfig& config, std::int64_t projection, const Tensors& tensors);

  // pixels (B, 3, imageSize, imageSize) of clipPixels → (B, projection), each of length 1.
  at::Tensor features(const at::Tensor& pixels) const;
  std::int64_t imageSize() const { return config_.imageSize; }

 private:
  struct Affine { at::Tensor weight, bias; };
  struct Layer { Affine norm1, norm2, q, k, v, out, up, down; };
  at::Tensor forward(const Layer& layer, const at::Tensor& x) const;
  at::Tensor norm(const Affine& affine, const at::Tensor& x) const;

  ClipVisionConfig config_;
  at::Tensor class_, patches_, positions_, projection_;
  Affine before_, after_;
  std::vector<Layer> layers_;
};

// 100 · cosine of unit vectors, row by row: (B, D), (B, D) → (B) float64. torchmetrics' CLIPScore is the mean of these, not below 0.
at::Tensor clipCosines(const at::Tensor& images, const at::Tensor& texts);

}  // namespace quantspot::metrics
