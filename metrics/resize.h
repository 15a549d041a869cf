// Pillow's Image.resize, pixel for pixel: antialiased, columns first (libImaging/Resample.c).
#pragma once

#include "metrics/image.h"

#include <ATen/core/Tensor.h>

namespace quantspot::metrics {

enum class Resample { Lanczos = 1, Bilinear = 2, Bicubic = 3, Box = 4, Hamming = 5 };   // Pillow's numbers; 0, the nearest pixel, is not here

// 8-bit RGB: fixed-point weights, rounded after either direction.
Image resize(ImageView image, int width, int height, Resample filter = Resample::Bicubic);
// Each channel as an image of mode "F": float32 between the directions, then cut to 0 … 255, not rounded; what clean-fid feeds Inception.
// → (3, height, width) float32.
at::Tensor resizeFloat(ImageView image, int width, int height, Resample filter = Resample::Bicubic);

}  // namespace quantspot::metrics
