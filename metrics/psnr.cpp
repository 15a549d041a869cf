#include "metrics/psnr.h"

#include <cmath>

namespace quantspot::metrics {

double psnr(ImageView image, ImageView reference) {
  checkSameSize(image, reference);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const int difference = int{image.pixels[i]} - int{reference.pixels[i]};
    sum += static_cast<std::uint64_t>(difference * difference);
  }
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(image.size()) / static_cast<double>(sum));
}

}  // namespace quantspot::metrics
