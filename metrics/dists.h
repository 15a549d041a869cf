// Deep image structure and texture similarity (Ding et al. 2020).
#pragma once

#include "metrics/image.h"
#include "metrics/trunk.h"

namespace quantspot::metrics {

class Dists {
 public:
  // Trunk: torchvision's vgg16; "alpha" and "beta" (1, 1475, 1, 1) as the authors' weights have them.
  explicit Dists(const WeightSource& weights);

  // As piq.DISTS 0.8 on values 0 … 1 (pictures above 256 pixels are made smaller by it): 0 for equal pictures, larger is worse. Throws
  // std::invalid_argument when the sizes differ or a side is under 16 pixels.
  double operator()(ImageView image, ImageView reference) const;

 private:
  std::vector<at::Tensor> features(ImageView image) const;

  Trunk trunk_;
  std::vector<at::Tensor> alpha_, beta_;
};

}  // namespace quantspot::metrics
