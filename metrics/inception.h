// Inception-v3 as FID uses it: the TensorFlow network of 2015-12-05 (1008 classes, average pools without the border), not torchvision's.
#pragma once

#include "metrics/image.h"
#include "metrics/network.h"

namespace quantspot::metrics {

class Inception {
 public:
  // Weights under torch-fidelity's names ("Mixed_5b.branch1x1.conv.weight"), float32.
  explicit Inception(const WeightSource& weights);

  static constexpr std::int64_t kSide = 299, kFeatures = 2048;
  // pixels (B, 3, 299, 299), values 0 … 255 → (B, 2048), what goes into the last layer.
  at::Tensor features(const at::Tensor& pixels) const;

 private:
  struct Layer {
    Convolution convolution;
    BatchNorm norm;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  using Chain = std::vector<Layer>;
  struct Block {
    char kind = 'A';                     // as in the paper: A 35 × 35, B to 17 × 17, C 17 × 17, D to 8 × 8, E and F 8 × 8 (F: max pool)
    std::vector<Chain> branches;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Loader;

  Chain stem_;
  std::vector<Block> blocks_;
};

// clean-fid's way: each channel resized by Pillow's float bicubic. → (1, 3, 299, 299) float32, values 0 … 255.
at::Tensor inceptionPixels(ImageView image);

// The name in inception-2015-12-05.pt (TorchScript, of StyleGAN2-ADA) of what torch-fidelity calls `name`; empty: it has no such tensor
// (its batch norm has no weight, which stands for ones).
std::string torchScriptName(const std::string& name);

}  // namespace quantspot::metrics
