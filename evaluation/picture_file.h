// What a picture's file says of itself before it is decoded.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace quantspot::evaluation {

// Why a file is not taken; empty: it is. Taken are PNG, JPEG and WebP whose pixels every decoder reads alike: grey, palettes and interlacing are.
// Refused are AVIF and other formats, 16 bits a channel (rounded in more ways than one), a transparent colour (shown on no agreed ground), four inks,
// an EXIF orientation (which viewers heed or not), animations, and files whose end is missing (decoders fill the rest as they like).
std::string pictureRefusal(std::span<const std::uint8_t> bytes);

// Said of a decoded picture with an alpha channel that is not opaque everywhere; an opaque one is dropped.
inline constexpr char kTransparent[] = "is transparent in places, and no ground is agreed on; save it without transparency";

}  // namespace quantspot::evaluation
