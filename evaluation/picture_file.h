// What a picture's file says of itself before it is decoded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace quantspot::evaluation {

// By its ending, in large or small letters: PNG, JPEG or WebP. What folders of pictures are gone through for.
bool isPictureName(const std::filesystem::path& file);
// Why a file is not taken; empty: it is. Taken are PNG, JPEG and WebP whose pixels every decoder reads alike: grey, palettes and interlacing are.
// Refused are AVIF and other formats, 16 bits a channel (rounded in more ways than one), a transparent colour (shown on no agreed ground), four inks,
// an EXIF orientation (which viewers heed or not), animations, and files whose end is missing (decoders fill the rest as they like).
std::string pictureRefusal(std::span<const std::uint8_t> bytes);
// The part of it that holds for whoever takes what the references' reader takes (16 bits, inks and turned pictures among it): AVIF, animations and
// files whose end is missing. Empty, too, for formats that are not known here.
std::string unreadableReason(std::span<const std::uint8_t> bytes);

// Said of a decoded picture with an alpha channel that is not opaque everywhere; an opaque one is dropped.
inline constexpr char kTransparent[] = "is transparent in places, and no ground is agreed on; save it without transparency";

}  // namespace quantspot::evaluation
