#include "metrics/clip_preprocess.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace quantspot::metrics {
namespace {

constexpr int kBits = 32 - 8 - 2;        // of Pillow's fixed-point weights

double cubic(double x) {                 // a = −0.5
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

// The input pixels that make one output pixel, and their weights.
struct Window {
  int first = 0;
  std::vector<int> weights;
};

std::vector<Window> makeWindows(int in, int out) {
  const double scale = static_cast<double>(in) / out, filterScale = std::max(scale, 1.0), support = 2 * filterScale;
  std::vector<Window> windows(static_cast<std::size_t>(out));
  for (int i = 0; i < out; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5)), last = std::min(in, static_cast<int>(center + support + 0.5));
    std::vector<double> weights;
    double sum = 0;
    for (int x = first; x < last; ++x) {
      weights.push_back(cubic((x - center + 0.5) * (1 / filterScale)));
      sum += weights.back();
    }
    Window& window = windows[static_cast<std::size_t>(i)];
    window.first = first;
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << kBits);
      window.weights.push_back(static_cast<int>(fixed + (fixed < 0 ? -0.5 : 0.5)));
    }
  }
  return windows;
}

// One direction: output pixel i of every line is made from the inputs of its window, `step` samples apart.
void resample(const std::uint8_t* in, std::uint8_t* out, const std::vector<Window>& windows, std::size_t step) {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    int sum = 1 << (kBits - 1);
    for (std::size_t k = 0; k < windows[i].weights.size(); ++k)
      sum += in[(static_cast<std::size_t>(windows[i].first) + k) * step] * windows[i].weights[k];
    out[i * step] = static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
  }
}

Image resizeColumns(ImageView image, int width) {
  Image out{width, image.height, std::vector<std::uint8_t>(3 * static_cast<std::size_t>(width) * image.height)};
  const auto windows = makeWindows(image.width, width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y)
    for (std::size_t c = 0; c < 3; ++c)
      resample(image.pixels + y * 3 * image.width + c, out.pixels.data() + y * 3 * width + c, windows, 3);
  return out;
}

Image resizeRows(const Image& image, int height) {
  const std::size_t stride = 3 * static_cast<std::size_t>(image.width);
  Image out{image.width, height, std::vector<std::uint8_t>(stride * height)};
  const auto windows = makeWindows(image.height, height);
  for (std::size_t x = 0; x < stride; ++x) resample(image.pixels.data() + x, out.pixels.data() + x, windows, stride);
  return out;
}

}  // namespace

Image resizeBicubic(ImageView image, int width, int height) {
  Image out{image.width, image.height, {image.pixels, image.pixels + image.size()}};
  if (width != image.width) out = resizeColumns(image, width);
  if (height != image.height) out = resizeRows(out, height);
  return out;
}

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
  const Image square = centerCrop(resizeBicubic(image, wide ? other : edge, wide ? edge : other), options.crop);
  const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(square.pixels.data()), {options.crop, options.crop, 3}, at::kByte);
  const at::Tensor unit = (bytes.to(at::kDouble) * (1.0 / 255)).to(at::kFloat).permute({2, 0, 1}).unsqueeze(0);
  const auto channel = [](const std::array<double, 3>& v) {
    return at::tensor({static_cast<float>(v[0]), static_cast<float>(v[1]), static_cast<float>(v[2])}).view({1, 3, 1, 1});
  };
  return ((unit - channel(options.mean)) / channel(options.deviation)).contiguous();
}

}  // namespace quantspot::metrics
