#include "evaluation/plot.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace quantspot::evaluation {
namespace {

constexpr Color kGrid = {0.88, 0.88, 0.88}, kInk = {0.2, 0.2, 0.2};
constexpr double kLeft = 58, kTop = 26, kRight = 12, kBottom = 56;

enum Family { Plain, Fp8, EightBit, FourBit, Gguf };

Family familyOf(const std::string& id) {
  if (id.starts_with("gguf")) return Gguf;
  if (id.find("fp8") != std::string::npos) return Fp8;
  if (id.find("int8") != std::string::npos) return EightBit;
  if (id.find("nf4") != std::string::npos || id.find("fp4") != std::string::npos || id.find("int4") != std::string::npos || id.find("int2") != std::string::npos) return FourBit;
  return Plain;
}

constexpr std::array<Color, 5> kFamilies = {{{0.15, 0.39, 0.72}, {0.05, 0.55, 0.52}, {0.86, 0.47, 0.05}, {0.76, 0.13, 0.52}, {0.45, 0.28, 0.72}}};

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  if (!std::isfinite(low) || !std::isfinite(high) || high <= low) return {std::isfinite(low) ? low : 0};
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = power;
  for (const double factor : {1.0, 2.0, 5.0, 10.0})
    if (factor * power >= rough * 0.999) { step = factor * power; break; }
  std::vector<double> all;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) all.push_back(k * step + 0.0);
  return all;
}

Axis axisOf(std::string label, const std::vector<double>& values, bool zero, std::function<std::string(double)> text) {
  double low = INFINITY, high = -INFINITY;
  for (const double v : values)
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  if (low > high) low = 0, high = 1;
  if (zero) low = std::min(low, 0.0);
  const double air = high > low ? 0.06 * (high - low) : std::max(0.5, std::abs(high) * 0.05);
  return {std::move(label), zero && low == 0 ? 0 : low - air, high + air, std::move(text)};
}

Color precisionColor(const std::string& precision, std::size_t place) {
  Color color = kFamilies[familyOf(precision)];
  const double towardsWhite = std::min(0.6, 0.25 * static_cast<double>(place));
  for (double* part : {&color.r, &color.g, &color.b}) *part += (1 - *part) * towardsWhite;
  return color;
}

std::vector<Color> precisionColors(const std::vector<std::string>& precisions) {
  std::map<Family, std::size_t> places;
  std::vector<Color> colors;
  for (const std::string& precision : precisions) colors.push_back(precisionColor(precision, places[familyOf(precision)]++));
  return colors;
}

Plot::Plot(Canvas& canvas, Box place, const std::string& title, Axis x, Axis y, bool xTicks)
    : canvas_(canvas), place_(place), area_{place.x + kLeft, place.y + kTop, place.width - kLeft - kRight, place.height - kTop - kBottom}, x_(std::move(x)), y_(std::move(y)) {
  canvas.text({place.x + 4, place.y + 14}, title, {.size = 12, .bold = true});
  const auto label = [](const Axis& axis, double value) { return axis.text ? axis.text(value) : fmt::format("{:.4g}", value); };
  for (const double t : ticks(y_.low, y_.high)) {
    const double at = this->at(x_.low, t).y;
    canvas.line({area_.x, at}, {area_.x + area_.width, at}, kGrid);
    canvas.text({area_.x - 4, at + 3}, label(y_, t), {.size = 8.5, .anchor = Anchor::End});
  }
  if (xTicks)
    for (const double t : ticks(x_.low, x_.high, 6)) {
      const double at = this->at(t, y_.low).x;
      canvas.line({at, area_.y + area_.height}, {at, area_.y + area_.height + 3}, kInk);
      canvas.text({at, area_.y + area_.height + 13}, label(x_, t), {.size = 8.5, .anchor = Anchor::Middle});
    }
  canvas.line({area_.x, area_.y}, {area_.x, area_.y + area_.height}, kInk);
  canvas.line({area_.x, area_.y + area_.height}, {area_.x + area_.width, area_.y + area_.height}, kInk);
  canvas.text({area_.x + area_.width / 2, area_.y + area_.height + 26}, x_.label, {.size = 9, .anchor = Anchor::Middle});
  canvas.text({place.x + 10, area_.y + area_.height / 2}, y_.label, {.size = 9, .anchor = Anchor::Middle, .upwards = true});
}

Point Plot::at(double x, double y) const {
  const auto part = [](const Axis& axis, double v) { return axis.high > axis.low ? (v - axis.low) / (axis.high - axis.low) : 0.5; };
  return {area_.x + area_.width * part(x_, x), area_.y + area_.height * (1 - part(y_, y))};
}

void Plot::legend(const std::vector<std::string>& names, const std::vector<Color>& colors) {
  double x = area_.x, y = place_.y + place_.height - 16;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double width = canvas_.textWidth(names[i], 8.5) + 22;
    if (x + width > place_.x + place_.width && x > area_.x) x = area_.x, y += 11;
    canvas_.fill({x, y - 7, 8, 8}, colors[i]);
    canvas_.text({x + 11, y}, names[i], {.size = 8.5});
    x += width;
  }
}

void Plot::whisker(double x, double low, double high, Color color) {
  const Point top = at(x, high), bottom = at(x, low);
  canvas_.line(top, bottom, color);
  for (const Point& end : {top, bottom}) canvas_.line({end.x - 3, end.y}, {end.x + 3, end.y}, color);
}

}  // namespace quantspot::evaluation
