#include "metrics/clip_preprocess.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace quantspot::metrics {

Image centerCrop(ImageView image, int crop) {
  Image out{crop, crop, std::vector<std::uint8_t>(3 * static_cast<std::size_t>(crop) * crop)};
  const int top = (image.height - crop) / 2, left = (image.width - crop) / 2;
  for (int y = 0; y < crop; ++y)
    for (int x = 0; x < crop; ++x) {
      const int fromY = y + top, fromX = x + left;
      if (fromY < 0 || fromX < 0 || fromY >= image.height || fromX >= image.width) continue;
      const std::size_t from = 3 * (static_cast<std::size_t>(fromY) * image.width + fromX);
      std::copy_n(image.pixels + from, 3, out.pixels.data() + 3 * (static_cast<std::size_t>(y) * crop + x));
    }
  return out;
}

at::Tensor clipPixels(ImageView image, const ClipPreprocessing& options) {
  const int edge = options.shortestEdge, shorter = std::min(image.width, image.height), longer = std::max(image.width, image.height);
  const int other = static_cast<int>(static_cast<std::int64_t>(edge) * longer / shorter);
  const bool wide = image.width >= image.height;
  const Image square = centerCrop(resize(image, wide ? other : edge, wide ? edge : other, options.filter), options.crop);
  const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(square.pixels.data()), {options.crop, options.crop, 3}, at::kByte);
  const at::Tensor unit = (bytes.to(at::kDouble) * options.scale).to(at::kFloat).permute({2, 0, 1}).unsqueeze(0);
  const auto channel = [](const std::array<double, 3>& v) {
    return at::tensor({static_cast<float>(v[0]), static_cast<float>(v[1]), static_cast<float>(v[2])}).view({1, 3, 1, 1});
  };
  return ((unit - channel(options.mean)) / channel(options.deviation)).contiguous();
}

}  // namespace quantspot::metrics
