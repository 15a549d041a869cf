#include "engine/pipeline/png.h"

#include <algorithm>

namespace quantspot::pipeline {

std::vector<std::uint8_t> deflate(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kBlock = 65535;
  std::vector<std::uint8_t> out = {0x78, 0x01};
  std::size_t at = 0;
  do {
    const std::size_t n = std::min(kBlock, bytes.size() - at);
    const bool last = at + n == bytes.size();
    for (const std::size_t value : {std::size_t{last}, n & 255, n >> 8, ~n & 255, ~n >> 8 & 255}) out.push_back(static_cast<std::uint8_t>(value));
    out.insert(out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(at + n));
    at += n;
  } while (at < bytes.size());
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  for (const std::uint32_t value : {b >> 8, b & 255, a >> 8, a & 255}) out.push_back(static_cast<std::uint8_t>(value));
  return out;
}

}  // namespace quantspot::pipeline
