// The convolutional trunks of LPIPS and DISTS: torchvision's alexnet, vgg16 and squeezenet1_1 up to their last ReLU.
#pragma once

#include "metrics/network.h"

#include <variant>

namespace quantspot::metrics {

enum class TrunkKind { Alex, Vgg, Squeeze };

class Trunk {
 public:
  // Weights under torchvision's names ("features.0.weight").
  Trunk(TrunkKind kind, const WeightSource& weights);

  // Channels of the outputs, the first first.
  const std::vector<std::int64_t>& channels() const { return channels_; }
  // pixels (B, 3, H, W), normalized → the ReLU outputs that LPIPS compares. Throws std::invalid_argument when a picture is too small.
  // softPool: DISTS's L2 pooling in place of max pools.
  std::vector<at::Tensor> operator()(const at::Tensor& pixels, bool softPool = false) const;

 private:
  struct Relu { Convolution convolution; };                        // a convolution and its ReLU
  struct Fire { Convolution squeeze, narrow, wide; };
  struct Pool { std::int64_t kernel = 3; bool ceil = false; };
  struct Tap {};                                                   // here an output is taken
  using Step = std::variant<Relu, Fire, Pool, Tap>;
  void add(const WeightSource& weights, int index, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  void addFire(const WeightSource& weights, int index, std::int64_t in, std::int64_t squeezed, std::int64_t wide);

  std::vector<Step> steps_;
  std::vector<std::int64_t> channels_;
  std::int64_t smallest_ = 1;
};

}  // namespace quantspot::metrics
