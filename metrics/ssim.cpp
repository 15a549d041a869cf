#include "metrics/ssim.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace quantspot::metrics {
namespace {

constexpr int kWindow = 11;
constexpr double kSigma = 1.5, kC1 = 0.01 * 255 * 0.01 * 255, kC2 = 0.03 * 255 * 0.03 * 255;

cv::Mat blur(const cv::Mat& x) {
  static const cv::Mat kernel = cv::getGaussianKernel(kWindow, kSigma, CV_64F);
  cv::Mat out;
  cv::sepFilter2D(x, out, CV_64F, kernel, kernel);
  return out;
}

std::vector<cv::Mat> planes(ImageView image) {
  const cv::Mat bytes(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.pixels));
  cv::Mat wide;
  bytes.convertTo(wide, CV_64F);
  std::vector<cv::Mat> out;
  cv::split(wide, out);
  return out;
}

double channelSsim(const cv::Mat& x, const cv::Mat& y) {
  const cv::Mat mx = blur(x), my = blur(y);
  const cv::Mat mxx = mx.mul(mx), myy = my.mul(my), mxy = mx.mul(my);
  const cv::Mat vx = blur(x.mul(x)) - mxx, vy = blur(y.mul(y)) - myy, vxy = blur(x.mul(y)) - mxy;
  const cv::Mat top = (2 * mxy + kC1).mul(2 * vxy + kC2);
  const cv::Mat bottom = cv::Mat(mxx + myy + kC1).mul(vx + vy + kC2);
  const int pad = (kWindow - 1) / 2;
  const cv::Mat map = top / bottom;
  return cv::mean(map(cv::Rect(pad, pad, map.cols - 2 * pad, map.rows - 2 * pad)))[0];
}

constexpr int kScales = 5, kSmallest = (kWindow - 1) * 16 + 16;
constexpr double kExponents[kScales] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

cv::Mat halved(const cv::Mat& x) {       // means of 2 × 2; an odd last row or column is left out
  const cv::Rect even(0, 0, x.cols / 2 * 2, x.rows / 2 * 2);
  cv::Mat out;
  cv::resize(x(even), out, cv::Size(x.cols / 2, x.rows / 2), 0, 0, cv::INTER_AREA);
  return out;
}

struct Scale {
  double similarity = 0, contrast = 0;
};

Scale scaleOf(const cv::Mat& x, const cv::Mat& y) {
  const cv::Mat mx = blur(x), my = blur(y);
  const cv::Mat mxx = mx.mul(mx), myy = my.mul(my), mxy = mx.mul(my);
  const cv::Mat vx = cv::max(blur(x.mul(x)) - mxx, 0), vy = cv::max(blur(y.mul(y)) - myy, 0), vxy = blur(x.mul(y)) - mxy;
  const cv::Mat contrast = cv::Mat(2 * vxy + kC2) / cv::Mat(vx + vy + kC2);
  const cv::Mat luminance = cv::Mat(2 * mxy + kC1) / cv::Mat(mxx + myy + kC1);
  const int pad = (kWindow - 1) / 2;
  return {cv::mean(luminance.mul(contrast))[0], cv::mean(contrast(cv::Rect(pad, pad, x.cols - 2 * pad, x.rows - 2 * pad)))[0]};
}

}  // namespace

double ssim(ImageView image, ImageView reference) {
  checkSameSize(image, reference);
  if (image.width < kWindow || image.height < kWindow)
    throw std::invalid_argument("SSIM needs pictures of at least " + std::to_string(kWindow) + " pixels a side");
  const auto a = planes(image), b = planes(reference);
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += channelSsim(a[c], b[c]);
  return sum / static_cast<double>(a.size());
}

double msSsim(ImageView image, ImageView reference) {
  checkSameSize(image, reference);
  if (image.width < kSmallest || image.height < kSmallest)
    throw std::invalid_argument("MS-SSIM needs pictures of at least " + std::to_string(kSmallest) + " pixels a side; use ssim for smaller ones");
  auto a = planes(image), b = planes(reference);
  double product = 1;
  for (int scale = 0; scale < kScales; ++scale) {
    double similarity = 0, contrast = 0;  // of all channels together, negative ones as 0 afterwards
    for (std::size_t c = 0; c < a.size(); ++c) {
      const Scale one = scaleOf(a[c], b[c]);
      similarity += one.similarity / static_cast<double>(a.size());
      contrast += one.contrast / static_cast<double>(a.size());
      a[c] = halved(a[c]);
      b[c] = halved(b[c]);
    }
    product *= std::pow(std::max(0.0, scale + 1 < kScales ? contrast : similarity), kExponents[scale]);
  }
  return product;
}

}  // namespace quantspot::metrics
