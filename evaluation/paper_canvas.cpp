#include "evaluation/paper_canvas.h"

namespace quantspot::evaluation {
namespace {

constexpr double kThinner = 0.75;   // lines are given in CSS pixels

}  // namespace

void PaperCanvas::line(Point from, Point to, Color color, double width, bool dashed) {
  const paper::Point ends[] = {{from.x, from.y}, {to.x, to.y}};
  document_.stroke(ends, {.color = onPaper(color), .width = width * kThinner, .dashed = dashed});
}

void PaperCanvas::polyline(const std::vector<Point>& points, Color color, double width) {
  std::vector<paper::Point> line;
  for (const Point& p : points) line.push_back({p.x, p.y});
  document_.stroke(line, {.color = onPaper(color), .width = width * kThinner, .dashed = false});
}

void PaperCanvas::fill(Box box, Color color) { document_.fill({box.x, box.y, box.width, box.height}, onPaper(color)); }

void PaperCanvas::circle(Point center, double radius, Color color, bool hollow) {
  document_.circle({center.x, center.y}, radius, onPaper(color), hollow);
}

void PaperCanvas::text(Point at, std::string_view text, const TextStyle& style) {
  const paper::Anchor anchor = style.anchor == Anchor::Start    ? paper::Anchor::Start
                               : style.anchor == Anchor::Middle ? paper::Anchor::Middle
                                                                : paper::Anchor::End;
  document_.text({at.x, at.y}, text, {.size = style.size, .bold = style.bold, .color = onPaper(style.color)}, anchor, style.upwards);
}

double PaperCanvas::textWidth(std::string_view text, double size, bool bold) const {
  return document_.typesetter().width(text, {.size = size, .bold = bold, .color = {}});
}

}  // namespace quantspot::evaluation
