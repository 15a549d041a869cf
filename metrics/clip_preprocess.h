// Pictures on their way into a CLIP vision tower, pixel for pixel as transformers' CLIPImageProcessor with Pillow.
#pragma once

#include "metrics/resize.h"

#include <ATen/core/Tensor.h>

#include <array>

namespace quantspot::metrics {

struct ClipPreprocessing {               // the defaults are CLIP's own
  int shortestEdge = 224, crop = 224;
  Resample filter = Resample::Bicubic;
  double scale = 1.0 / 255;
  std::array<double, 3> mean = {0.48145466, 0.4578275, 0.40821073}, deviation = {0.26862954, 0.26130258, 0.27577711};
};

// The middle crop × crop pixels; what lies outside the picture is black.
Image centerCrop(ImageView image, int crop);
// → (1, 3, crop, crop) float32.
at::Tensor clipPixels(ImageView image, const ClipPreprocessing& options);

}  // namespace quantspot::metrics
