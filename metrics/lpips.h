// Learned perceptual image patch similarity (Zhang et al. 2018).
#pragma once

#include "metrics/image.h"
#include "metrics/trunk.h"

namespace quantspot::metrics {

class Lpips {
 public:
  // Trunk under torchvision's names, the linear layers under those of lpips ("lin0.model.1.weight").
  Lpips(TrunkKind kind, const WeightSource& weights);

  // As lpips.LPIPS(net=…, version="0.1") 0.1.4 on values −1 … 1: 0 for equal pictures, larger is worse. Throws std::invalid_argument when
  // the sizes differ or a side is too small for the trunk.
  double operator()(ImageView image, ImageView reference) const;

 private:
  Trunk trunk_;
  std::vector<at::Tensor> lines_;        // (1, C, 1, 1)
};

// (1, 3, H, W) float32, 0 … 255.
at::Tensor pixelsOf(ImageView image);

}  // namespace quantspot::metrics
