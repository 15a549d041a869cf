#include "metrics/image.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <stdexcept>
#include <string>

namespace quantspot::metrics {
namespace {

std::string sizeText(ImageView image) { return std::to_string(image.width) + " × " + std::to_string(image.height); }

cv::Mat decode(std::span<const std::uint8_t> file, int how = cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION) try {
  const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8U, const_cast<std::uint8_t*>(file.data()));
  return file.empty() ? cv::Mat() : cv::imdecode(bytes, how);
} catch (const cv::Exception&) {
  return {};
}

}  // namespace

Image decodeImage(std::span<const std::uint8_t> file) {
  const cv::Mat bgr = decode(file);
  if (bgr.empty()) throw std::invalid_argument("these " + std::to_string(file.size()) + " bytes are no picture that can be read (PNG, JPEG)");
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
