// Structural similarity (Wang et al. 2004).
#pragma once

#include "metrics/image.h"

namespace quantspot::metrics {

// Mean over the channels of the mean SSIM with an 11 × 11 Gaussian window, sigma 1.5, without the border of 5 pixels: equal to
// skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
// channel_axis=-1). Throws std::invalid_argument when the sizes differ or a side is under 11 pixels.
double ssim(ImageView image, ImageView reference);

// Over five scales with Wang's exponents (2003), as torchmetrics' multiscale_structural_similarity_index_measure(data_range=255) 1.9 in
// float64: contrast without the border, the last scale's similarity over all pixels, negative ones as 0. Throws std::invalid_argument when
// the sizes differ or a side is under 176 pixels, where the window no longer fits the coarsest scale.
double msSsim(ImageView image, ImageView reference);

}  // namespace quantspot::metrics
