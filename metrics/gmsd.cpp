#include "metrics/gmsd.h"

#include <cmath>
#include <stdexcept>

namespace quantspot::metrics {
namespace {

constexpr double kStability = 170.0 / (255.0 * 255.0);

struct Plane {
  int width = 0, height = 0;
  std::vector<double> values;
  double at(int x, int y) const {        // black beyond the border
    return x < 0 || y < 0 || x >= width || y >= height ? 0
        : values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
};

double luma(ImageView image, int x, int y) {
  if (x >= image.width || y >= image.height) return 0;
  const std::uint8_t* p = image.pixels + 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x));
  return (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]) / 255;
}

// Means of 2 × 2. An odd side brings a black row below and a black column to the right, whichever side it is.
Plane halved(ImageView image) {
  const int pad = image.width % 2 != 0 || image.height % 2 != 0 ? 1 : 0;
  Plane out{(image.width + pad) / 2, (image.height + pad) / 2, {}};
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x)
      out.values.push_back((luma(image, 2 * x, 2 * y) + luma(image, 2 * x + 1, 2 * y) +
                            luma(image, 2 * x, 2 * y + 1) + luma(image, 2 * x + 1, 2 * y + 1)) / 4);
  return out;
}

double gradient(const Plane& p, int x, int y) {
  double across = 0, down = 0;
  for (int i = -1; i <= 1; ++i) {
    across += p.at(x + 1, y + i) - p.at(x - 1, y + i);
    down += p.at(x + i, y + 1) - p.at(x + i, y - 1);
  }
  return std::sqrt(across * across + down * down) / 3;
}

}  // namespace

double gmsd(ImageView image, ImageView reference) {
  checkSameSize(image, reference);
  if (image.width < 4 || image.height < 4) throw std::invalid_argument("GMSD needs pictures of at least 4 pixels a side");
  const Plane a = halved(image), b = halved(reference);
  std::vector<double> similarity;
  double sum = 0, squares = 0;
  for (int y = 0; y < a.height; ++y)
    for (int x = 0; x < a.width; ++x) {
      const double ga = gradient(a, x, y), gb = gradient(b, x, y);
      similarity.push_back((2 * ga * gb + kStability) / (ga * ga + gb * gb + kStability));
      sum += similarity.back();
    }
  const double mean = sum / static_cast<double>(similarity.size());
  for (const double value : similarity) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(similarity.size()));
}

}  // namespace quantspot::metrics
