#include "ui/models/colour_plate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace quantspot::ui {
namespace {

using study::ColourAxis;

// The same numbers everywhere (Steele, Lea, Flood 2014: SplitMix64); the standard's distributions are not.
class Draws {
 public:
  explicit Draws(quint64 seed) : state_(seed) {}
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  quint64 next() {
    quint64 z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  quint64 state_;
};

struct Point {
  double x, y;
};
using Strokes = std::vector<std::vector<Point>>;

// Degrees from the right, clockwise on the screen.
std::vector<Point> arc(double cx, double cy, double rx, double ry, double from, double to) {
  std::vector<Point> points;
  constexpr int kSteps = 24;
  for (int i = 0; i <= kSteps; ++i) {
    const double angle = (from + (to - from) * i / kSteps) * std::numbers::pi / 180;
    points.push_back({cx + rx * std::cos(angle), cy + ry * std::sin(angle)});
  }
  return points;
}

std::vector<Point> joined(std::vector<Point> first, std::initializer_list<Point> then) {
  first.insert(first.end(), then);
  return first;
}

// Each about 0.7 wide and 1.16 high around the origin.
Strokes strokesOf(int numeral) {
  switch (numeral) {
    case 2: return {joined(arc(0, -0.27, 0.31, 0.31, 190, 400), {{-0.31, 0.58}, {0.34, 0.58}})};
    case 3: return {arc(0, -0.29, 0.28, 0.29, 200, 450), arc(0, 0.29, 0.32, 0.29, -90, 160)};
    case 4: return {{{0.12, 0.58}, {0.12, -0.58}, {-0.36, 0.22}, {0.36, 0.22}}};
    case 5: return {{{0.3, -0.58}, {-0.24, -0.58}, {-0.27, -0.03}}, arc(0, 0.22, 0.33, 0.36, 225, 505)};
    case 6: return {arc(0, 0.24, 0.32, 0.34, 0, 360), arc(0.32, 0.24, 0.64, 0.82, 180, 262)};
    case 7: return {{{-0.33, -0.58}, {0.34, -0.58}, {-0.1, 0.58}}};
    case 8: return {arc(0, -0.29, 0.26, 0.28, 0, 360), arc(0, 0.28, 0.32, 0.31, 0, 360)};
    default: return {arc(0, -0.24, 0.32, 0.34, 0, 360), arc(-0.32, -0.24, 0.64, 0.82, 0, 82)};
  }
}

double distance(const Point& p, const Point& a, const Point& b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
  const double along = length == 0 ? 0 : std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0);
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

bool inFigure(const Strokes& strokes, const Point& p) {
  constexpr double kHalfStroke = 0.12;
  for (const auto& line : strokes)
    for (std::size_t i = 1; i < line.size(); ++i)
      if (distance(p, line[i - 1], line[i]) < kHalfStroke) return true;
  return false;
}

// Thrown one after the other, large ones first, wherever they touch no other: the numeral has no say in it.
std::vector<PlateDot> packed(Draws& draws) {
  constexpr std::pair<double, int> kSizes[] = {{0.042, 300}, {0.033, 900}, {0.025, 2400}, {0.018, 5000}};   // radius, throws
  constexpr double kGap = 0.005;
  std::vector<PlateDot> dots;
  for (const auto& [radius, throws] : kSizes)
    for (int i = 0; i < throws; ++i) {
      const double far = std::sqrt(draws.uniform()) * (1 - radius), angle = draws.uniform() * 2 * std::numbers::pi;
      const double x = far * std::cos(angle), y = far * std::sin(angle);
      const auto touches = [x, y, reach = radius + kGap](const PlateDot& one) { return std::hypot(one.x - x, one.y - y) < one.radius + reach; };
      if (std::none_of(dots.begin(), dots.end(), touches)) dots.push_back({x, y, radius});
    }
  return dots;
}

constexpr Point kWhite{0.19783, 0.46832};                // D65 in u′v′: what the ground is mixed around

// From the white towards where the axis' confusion lines meet (Regan and others 1994), and how far the numeral lies on one side and its ground on the
// other: as far as sRGB reaches at these luminances.
struct Direction {
  Point meeting;
  double reach;
};
Direction directionOf(ColourAxis axis) {
  switch (axis) {
    case ColourAxis::Protan: return {{0.678, 0.501}, 0.040};
    case ColourAxis::Deutan: return {{-1.217, 0.782}, 0.040};
    case ColourAxis::Tritan: return {{0.257, 0.0}, 0.062};
    case ColourAxis::Control: break;
  }
  return {{1, kWhite.y}, 0};
}

int encoded(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  return static_cast<int>(std::lround(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055)));
}

// IEC 61966-2-1; luminance 0 to 1.
QRgb screenColour(const Point& uv, double luminance) {
  const double x = luminance * 9 * uv.x / (4 * uv.y), z = luminance * (12 - 3 * uv.x - 20 * uv.y) / (4 * uv.y);
  return qRgb(encoded(3.2404542 * x - 1.5371385 * luminance - 0.4985314 * z), encoded(-0.9692660 * x + 1.8760108 * luminance + 0.0415560 * z),
              encoded(0.0556434 * x - 0.2040259 * luminance + 1.0572252 * z));
}

// Evenly spread from low to high and given out by chance, so that neither the mean nor the spread tells which dots they are.
void paint(std::vector<PlateDot*>& dots, const Point& uv, double low, double high, Draws& draws) {
  for (std::size_t i = dots.size(); i > 1; --i) std::swap(dots[i - 1], dots[draws.below(i)]);
  for (std::size_t i = 0; i < dots.size(); ++i)
    dots[i]->colour = screenColour(uv, low + (high - low) * (static_cast<double>(i) + 0.5) / static_cast<double>(dots.size()));
}

}  // namespace

std::vector<PlateDot> plateDots(const study::PlannedPlate& plate) {
  constexpr double kLow = 0.08, kHigh = 0.32;            // luminance, of white
  Draws draws(plate.seed);
  const Strokes strokes = strokesOf(plate.numeral);
  std::vector<PlateDot> dots = packed(draws);
  std::vector<PlateDot*> figure, ground;
  for (PlateDot& dot : dots) {
    dot.figure = inFigure(strokes, {dot.x, dot.y});
    (dot.figure ? figure : ground).push_back(&dot);
  }
  const Direction direction = directionOf(plate.axis);
  const double dx = direction.meeting.x - kWhite.x, dy = direction.meeting.y - kWhite.y, length = std::hypot(dx, dy);
  const auto at = [&](double reach) { return Point{kWhite.x + dx / length * reach, kWhite.y + dy / length * reach}; };
  const bool control = plate.axis == ColourAxis::Control;
  paint(figure, at(direction.reach), control ? 0.45 : kLow, control ? 0.70 : kHigh, draws);
  paint(ground, at(-direction.reach), kLow, control ? 0.20 : kHigh, draws);
  return dots;
}

}  // namespace quantspot::ui
