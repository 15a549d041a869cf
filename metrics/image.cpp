#include "metrics/image.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <stdexcept>
#include <string>

namespace quantspot::metrics {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 28;   // 16384 × 16384

std::string sizeText(ImageView image) { return std::to_string(image.width) + " × " + std::to_string(image.height); }

std::uint64_t bigEndian(std::span<const std::uint8_t> file, std::size_t at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes && at + static_cast<std::size_t>(i) < file.size(); ++i) value = value << 8 | file[at + static_cast<std::size_t>(i)];
  return value;
}

// What the header of a PNG or a JPEG says, before anything of that size is made; 0: another format, or none.
std::uint64_t claimedPixels(std::span<const std::uint8_t> file) {
  if (bigEndian(file, 0, 4) == 0x89504e47) return bigEndian(file, 16, 4) * bigEndian(file, 20, 4);
  if (bigEndian(file, 0, 2) != 0xffd8) return 0;
  for (std::size_t at = 2; at + 9 < file.size() && file[at] == 0xff;) {
    const std::uint8_t marker = file[at + 1];
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) return bigEndian(file, at + 5, 2) * bigEndian(file, at + 7, 2);
    at += marker == 0xff ? 1 : 2 + bigEndian(file, at + 2, 2);
  }
  return 0;
}

cv::Mat decode(std::span<const std::uint8_t> file, int how = cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION) try {
  if (file.size() > kMostBytes || claimedPixels(file) > kMostPixels) return {};
  const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8U, const_cast<std::uint8_t*>(file.data()));
  return file.empty() ? cv::Mat() : cv::imdecode(bytes, how);
} catch (const cv::Exception&) {
  return {};
}

}  // namespace

Image decodeImage(std::span<const std::uint8_t> file) {
  const cv::Mat bgr = decode(file);
  if (bgr.empty()) throw std::invalid_argument("these " + std::to_string(file.size()) + " bytes are no picture that can be read (PNG, JPEG, WebP)");
  Image image{bgr.cols, bgr.rows, std::vector<std::uint8_t>(3 * bgr.total())};
  cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.pixels.data());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return image;
}

bool isOpaque(std::span<const std::uint8_t> file) {
  const cv::Mat read = decode(file, cv::IMREAD_UNCHANGED);
  if (read.channels() != 4 || read.depth() != CV_8U) return true;
  cv::Mat alpha;
  cv::extractChannel(read, alpha, 3);
  return cv::countNonZero(alpha == 255) == static_cast<int>(alpha.total());
}

void checkSameSize(ImageView a, ImageView b) {
  if (a.width != b.width || a.height != b.height)
    throw std::invalid_argument("the pictures differ in size: " + sizeText(a) + " and " + sizeText(b));
}

}  // namespace quantspot::metrics
