#include "metrics/resize.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace quantspot::metrics {
namespace {

constexpr int kBits = 32 - 8 - 2;        // of Pillow's fixed-point weights

struct Filter {
  double support;
  double (*at)(double);
};

double sinc(double x) {
  return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi);
}
double lanczos(double x) { return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0; }
double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }
double cubic(double x) {                 // a = −0.5
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
double box(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }
double hamming(double x) {
  x = std::abs(x);
  if (x == 0) return 1;
  return x < 1 ? sinc(x) * (0.54 + 0.46 * std::cos(x * std::numbers::pi)) : 0;
}

Filter filterOf(Resample resample) {
  switch (resample) {
    case Resample::Lanczos: return {3, lanczos};
    case Resample::Bilinear: return {1, triangle};
    case Resample::Box: return {0.5, box};
    case Resample::Hamming: return {1, hamming};
    case Resample::Bicubic: break;
  }
  return {2, cubic};
}

// The input pixels that make one output pixel, and their weights.
struct Window {
  std::size_t first = 0;
  std::vector<double> weights;           // their sum is 1
  std::vector<int> fixed;
};

std::vector<Window> makeWindows(int in, int out, const Filter& filter) {
  const double scale = static_cast<double>(in) / out, filterScale = std::max(scale, 1.0), support = filter.support * filterScale;
  std::vector<Window> windows(static_cast<std::size_t>(out));
  for (int i = 0; i < out; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5)), last = std::min(in, static_cast<int>(center + support + 0.5));
    Window& window = windows[static_cast<std::size_t>(i)];
    window.first = static_cast<std::size_t>(first);
    double sum = 0;
    for (int x = first; x < last; ++x) {
      window.weights.push_back(filter.at((x - center + 0.5) * (1 / filterScale)));
      sum += window.weights.back();
    }
    for (double& weight : window.weights) {
      if (sum != 0) weight /= sum;
      const double fixed = weight * (1 << kBits);
      window.fixed.push_back(static_cast<int>(fixed + (fixed < 0 ? -0.5 : 0.5)));
    }
  }
  return windows;
}

std::uint8_t weigh(const std::uint8_t* in, std::size_t step, const Window& window) {
  int sum = 1 << (kBits - 1);
  for (std::size_t k = 0; k < window.fixed.size(); ++k) sum += in[(window.first + k) * step] * window.fixed[k];
  return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
}

float weigh(const float* in, std::size_t step, const Window& window) {
  double sum = 0;
  for (std::size_t k = 0; k < window.weights.size(); ++k) sum += in[(window.first + k) * step] * window.weights[k];
  return static_cast<float>(sum);
}

// Interleaved samples of `channels` values; both directions, or none where the size stays.
template <class Sample>
std::vector<Sample> resample(std::vector<Sample> in, std::size_t channels, int width, int height, int toWidth, int toHeight, const Filter& filter) {
  if (toWidth != width) {
    const auto windows = makeWindows(width, toWidth, filter);
    std::vector<Sample> out(channels * windows.size() * static_cast<std::size_t>(height));
    const std::size_t inRow = channels * static_cast<std::size_t>(width), outRow = channels * windows.size();
    for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y)
      for (std::size_t i = 0; i < windows.size(); ++i)
        for (std::size_t c = 0; c < channels; ++c) out[y * outRow + i * channels + c] = weigh(in.data() + y * inRow + c, channels, windows[i]);
    in = std::move(out);
  }
  if (toHeight == height) return in;
  const auto windows = makeWindows(height, toHeight, filter);
  const std::size_t row = channels * static_cast<std::size_t>(toWidth);
  std::vector<Sample> out(row * windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i)
    for (std::size_t x = 0; x < row; ++x) out[i * row + x] = weigh(in.data() + x, row, windows[i]);
  return out;
}

}  // namespace

Image resize(ImageView image, int width, int height, Resample filter) {
  return {width, height, resample(std::vector(image.pixels, image.pixels + image.size()), 3, image.width, image.height, width, height,
                                  filterOf(filter))};
}

at::Tensor resizeFloat(ImageView image, int width, int height, Resample filter) {
  const auto out = resample(std::vector<float>(image.pixels, image.pixels + image.size()), 3, image.width, image.height, width, height,
                            filterOf(filter));
  return at::from_blob(const_cast<float*>(out.data()), {height, width, 3}, at::kFloat).permute({2, 0, 1}).clamp(0, 255).contiguous();
}

}  // namespace quantspot::metrics
