#include "evaluation/canvas.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

namespace quantspot::evaluation {
namespace {

std::string css(Color c) {
  const auto byte = [](double x) { return static_cast<int>(std::lround(255 * x)); };
  return fmt::format("#{:02x}{:02x}{:02x}", byte(c.r), byte(c.g), byte(c.b));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (c == '\'') out += "&#39;";
    else out += c;
  }
  return out;
}

void SvgCanvas::line(Point from, Point to, Color color, double width, bool dashed) {
  body_ += fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" stroke-width=\"{:.2g}\"{}/>", from.x, from.y, to.x, to.y, css(color), width,
                       dashed ? " stroke-dasharray=\"4 3\"" : "");
}

void SvgCanvas::polyline(const std::vector<Point>& points, Color color, double width) {
  if (points.empty()) return;
  body_ += "<polyline fill=\"none\" points=\"";
  for (const Point& p : points) body_ += fmt::format("{:.1f},{:.1f} ", p.x, p.y);
  body_ += fmt::format("\" stroke=\"{}\" stroke-width=\"{:.2g}\"/>", css(color), width);
}

void SvgCanvas::fill(Box box, Color color) {
  body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>", box.x, box.y, box.width, box.height, css(color));
}

void SvgCanvas::circle(Point center, double radius, Color color, bool hollow) {
  body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\" stroke=\"{}\"/>", center.x, center.y, radius,
                       hollow ? "white" : css(color), css(color));
}

void SvgCanvas::text(Point at, std::string_view text, const TextStyle& style) {
  const char* const anchor = style.anchor == Anchor::Start ? "start" : style.anchor == Anchor::Middle ? "middle" : "end";
  const std::string turn = style.upwards ? fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", at.x, at.y) : "";
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" text-anchor=\"{}\" fill=\"{}\"{}{}>{}</text>", at.x, at.y, style.size, anchor,
                       css(style.color), style.bold ? " font-weight=\"bold\"" : "", turn, escaped(text));
}

double SvgCanvas::textWidth(std::string_view text, double size, bool bold) const {
  double letters = 0;
  for (const char c : text) letters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;   // not the later bytes of UTF-8
  return letters * size * (bold ? 0.6 : 0.55);
}

void SvgCanvas::beginLink(const std::string& target, const std::string& tip) {
  linked_ = !target.empty();
  if (linked_) body_ += fmt::format("<a href=\"{}\">", escaped(target));
  body_ += fmt::format("<g><title>{}</title>", escaped(tip));
}

void SvgCanvas::endLink() { body_ += linked_ ? "</g></a>" : "</g>"; }

std::string SvgCanvas::svg(const std::string& title) const {
  return fmt::format("<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" font-family=\"sans-serif\" role=\"img\" aria-label=\"{2}\">{3}</svg>",
                     width_, height_, escaped(title), body_);
}

}  // namespace quantspot::evaluation
