// Peak signal-to-noise ratio.
#pragma once

#include "metrics/image.h"

namespace quantspot::metrics {

// dB over all channels, peak 255, as skimage.metrics.peak_signal_noise_ratio; +infinity for equal pictures.
// Throws std::invalid_argument when the sizes differ.
double psnr(ImageView image, ImageView reference);

}  // namespace quantspot::metrics
