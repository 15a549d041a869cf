// SHA-256 (FIPS 180-4), streaming: weights, noise and images are named by it in every report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quantspot::model {

class Sha256 {
 public:
  Sha256();
  void add(const void* data, std::size_t bytes);
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::string hex();  // ends the message; 64 lower-case digits; add() must not follow

 private:
  void block(const std::uint8_t* data);

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> pending_{};
  std::size_t pendingBytes_ = 0;
  std::uint64_t totalBytes_ = 0;
};

std::string sha256Hex(const void* data, std::size_t bytes);

}  // namespace quantspot::model
