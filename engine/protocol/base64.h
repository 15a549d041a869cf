// Base64 of RFC 4648, with padding, without line breaks: how pictures travel.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::protocol {

std::string toBase64(std::span<const std::uint8_t> bytes);
// Throws std::invalid_argument with the place of the first character that is not base64.
std::vector<std::uint8_t> fromBase64(std::string_view text);

}  // namespace quantspot::protocol
