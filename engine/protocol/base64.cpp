#include "engine/protocol/base64.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace quantspot::protocol {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> kValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}();

}  // namespace

std::string toBase64(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    const std::uint32_t group = bytes[i] << 16 | (n > 1 ? bytes[i + 1] << 8 : 0) | (n > 2 ? bytes[i + 2] : 0);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::vector<std::uint8_t> fromBase64(std::string_view text) {
  if (text.size() % 4 != 0) throw std::invalid_argument("base64 of " + std::to_string(text.size()) + " characters is cut short");
  std::string_view body = text;
  while (!body.empty() && body.back() == '=' && text.size() - body.size() < 2) body.remove_suffix(1);
  std::vector<std::uint8_t> out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const int value = kValues[static_cast<unsigned char>(body[i])];
    if (value < 0) throw std::invalid_argument("character " + std::to_string(i) + " is not base64");
    group = group << 6 | static_cast<std::uint32_t>(value);
    // Two, three and four characters complete the first, second and third byte.
    if (i % 4 > 0) out.push_back(static_cast<std::uint8_t>(group >> (6 - 2 * (i % 4))));
  }
  return out;
}

}  // namespace quantspot::protocol
