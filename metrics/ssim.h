// Structural similarity (Wang et al. 2004).
#pragma once

#include "metrics/image.h"

namespace quantspot::metrics {

// Mean over the channels of the mean SSIM with an 11 × 11 Gaussian window, sigma 1.5, without the border of 5 pixels: equal to
// skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
// channel_axis=-1). Throws std::invalid_argument when the sizes differ or a side is under 11 pixels.
double ssim(ImageView image, ImageView reference);

}  // namespace quantspot::metrics
