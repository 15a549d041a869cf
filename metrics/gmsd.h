// Gradient magnitude similarity deviation (Xue et al. 2013): how unevenly the edges of a picture suffered.
#pragma once

#include "metrics/image.h"

namespace quantspot::metrics {

// Of the luma at half size, Prewitt gradients, as piq.gmsd(data_range=255) 0.8 in float64; 0 for equal pictures, larger is worse.
// Throws std::invalid_argument when the sizes differ or a side is under 4 pixels.
double gmsd(ImageView image, ImageView reference);

}  // namespace quantspot::metrics
