#include "evaluation/picture_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <string_view>

namespace quantspot::evaluation {
namespace {

using Bytes = std::span<const std::uint8_t>;
constexpr std::size_t kSignature = 8, kChunkFrame = 12;   // of PNG
constexpr char kMoving[] = "is an animation; save one picture of it", kCutOff[] = "is cut off: its end is missing";

std::uint32_t wordAt(Bytes bytes, std::size_t at, std::size_t size, bool little) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size && at + i < bytes.size(); ++i) value |= std::uint32_t{bytes[at + i]} << 8 * (little ? i : size - 1 - i);
  return value;
}

bool startsWith(Bytes bytes, std::string_view start, std::size_t at = 0) {
  const auto same = [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; };
  return bytes.size() >= at + start.size() && std::equal(start.begin(), start.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at), same);
}

// The orientation in the first directory of a TIFF header; 1: upright, or nothing is said.
std::uint32_t orientationAt(Bytes bytes, std::size_t tiff) {
  const bool little = tiff < bytes.size() && bytes[tiff] == 'I';
  const std::size_t directory = tiff + wordAt(bytes, tiff + 4, 4, little), entries = wordAt(bytes, directory, 2, little);
  for (std::size_t i = 0; i < entries && directory + 2 + 12 * (i + 1) <= bytes.size(); ++i)
    if (const std::size_t entry = directory + 2 + 12 * i; wordAt(bytes, entry, 2, little) == 0x0112) return wordAt(bytes, entry + 8, 2, little);
  return 1;
}

// Wherever the format keeps EXIF.
std::uint32_t orientationOf(Bytes bytes, bool jpeg, bool webp) {
  for (std::size_t at = 4; at + 8 < bytes.size(); ++at) {
    if (!startsWith(bytes, std::string_view("II*\0", 4), at) && !startsWith(bytes, std::string_view("MM\0*", 4), at)) continue;
    const bool marked = at >= 6 && startsWith(bytes, "Exif", at - 6);
    const bool exif = jpeg ? marked : startsWith(bytes, "eXIf", at - 4) || (webp && (marked || (at >= 8 && startsWith(bytes, "EXIF", at - 8))));
    if (const std::uint32_t turn = exif ? orientationAt(bytes, at) : 1; turn > 1) return turn;
  }
  return 1;
}

bool hasChunk(Bytes bytes, std::string_view name) {
  for (std::size_t at = kSignature; at + kChunkFrame <= bytes.size(); at += kChunkFrame + wordAt(bytes, at, 4, false))
    if (startsWith(bytes, name, at + 4)) return true;
  return false;
}

std::string pngRefusal(Bytes bytes) {
  if (wordAt(bytes, kSignature + 16, 1, false) == 16) return "has 16 bits a channel; save it with 8";
  return hasChunk(bytes, "tRNS") ? kTransparent : "";
}

// Decoders fill what is missing behind the last scan's rows with grey, and say nothing.
bool endsBehind(Bytes bytes, std::size_t scan) {
  for (std::size_t at = scan; at + 2 <= bytes.size(); ++at)
    if (bytes[at] == 0xFF && bytes[at + 1] == 0xD9) return true;
  return false;
}

struct JpegHead {
  std::string refusal;
  bool whole = true;                     // its end is there
};

// Segments up to the first scan; the tenth byte of a frame header counts the components.
JpegHead jpegHead(Bytes bytes) {
  JpegHead head;
  for (std::size_t at = 2; at + 10 <= bytes.size() && bytes[at] == 0xFF;) {
    const std::uint8_t kind = bytes[at + 1];
    if (kind == 0xFF) {
      ++at;                              // a fill byte
      continue;
    }
    const bool frame = kind >= 0xC0 && kind <= 0xCF && kind != 0xC4 && kind != 0xC8 && kind != 0xCC;
    if (frame && bytes[at + 9] == 4) head.refusal = "is printed with four inks (CMYK); save it as RGB";
    else if (frame && bytes[at + 4] != 8) head.refusal = "has more than 8 bits a channel; save it with 8";
    if (kind == 0xDA) return head.whole = endsBehind(bytes, at), head;
    at += 2 + wordAt(bytes, at + 2, 2, false);
  }
  return head;
}

std::string webpFault(Bytes bytes) {
  constexpr std::size_t kHead = 8, kFlags = 20;   // of RIFF; of the chunk VP8X, which comes first where there is one
  if (kHead + wordAt(bytes, 4, 4, true) > bytes.size()) return kCutOff;
  return startsWith(bytes, "VP8X", 12) && (wordAt(bytes, kFlags, 1, true) & 2) != 0 ? kMoving : "";
}

bool isPng(Bytes bytes) { return startsWith(bytes, "\x89PNG\r\n"); }
bool isJpeg(Bytes bytes) { return startsWith(bytes, "\xFF\xD8\xFF"); }
bool isWebp(Bytes bytes) { return startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8); }

}  // namespace

bool isPictureName(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  for (char& letter : ending)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
}

std::string unreadableReason(Bytes bytes) {
  if (startsWith(bytes, "ftypavif", 4) || startsWith(bytes, "ftypavis", 4)) return "is an AVIF picture, which cannot be read here; save it as PNG";
  if (isPng(bytes)) return !hasChunk(bytes, "IEND") ? kCutOff : hasChunk(bytes, "acTL") ? kMoving : "";
  if (isJpeg(bytes)) return jpegHead(bytes).whole ? "" : kCutOff;
  return isWebp(bytes) ? webpFault(bytes) : "";
}

std::string pictureRefusal(Bytes bytes) {
  const bool png = isPng(bytes), jpeg = isJpeg(bytes), webp = isWebp(bytes);
  if (std::string why = unreadableReason(bytes); !why.empty()) return why;
  if (!png && !jpeg && !webp) return "is neither PNG, JPEG nor WebP";
  if (std::string why = png ? pngRefusal(bytes) : jpeg ? jpegHead(bytes).refusal : ""; !why.empty()) return why;
  const std::uint32_t turn = orientationOf(bytes, jpeg, webp);
  return turn > 1 ? fmt::format("is to be turned (EXIF orientation {}); save it upright", turn) : "";
}

}  // namespace quantspot::evaluation
