// Pictures as the metrics see them: 8-bit RGB, interleaved, row-major, without padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quantspot::metrics {

struct ImageView {                       // owns nothing
  const std::uint8_t* pixels = nullptr;
  int width = 0, height = 0;
  std::size_t size() const { return 3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;
  operator ImageView() const { return {pixels.data(), width, height}; }
};

// PNG, JPEG, … → RGB (grey is repeated, alpha is dropped). Throws std::invalid_argument when it is no picture.
Image decodeImage(std::span<const std::uint8_t> file);
// Whether the picture has no alpha channel, or one that is opaque everywhere; true for what is no picture.
bool isOpaque(std::span<const std::uint8_t> file);
// Throws std::invalid_argument with both sizes when they differ.
void checkSameSize(ImageView a, ImageView b);

}  // namespace quantspot::metrics
