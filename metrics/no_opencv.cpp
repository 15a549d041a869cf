// Stands in for image.cpp, psnr.cpp and ssim.cpp in a build without OpenCV.
#include "metrics/image.h"
#include "metrics/psnr.h"
#include "metrics/ssim.h"

#include <stdexcept>

namespace quantspot::metrics {
namespace {

[[noreturn]] void fail() {
  throw std::runtime_error("this build has no image metrics: install libopencv-dev and build with QUANTSPOT_METRICS=ON");
}

}  // namespace

Image decodeImage(std::span<const std::uint8_t>) { fail(); }
bool isOpaque(std::span<const std::uint8_t>) { fail(); }
void checkSameSize(ImageView, ImageView) { fail(); }
double psnr(ImageView, ImageView) { fail(); }
double ssim(ImageView, ImageView) { fail(); }
double msSsim(ImageView, ImageView) { fail(); }

}  // namespace quantspot::metrics
