// A canvas on the page of a document.
#pragma once

#include "evaluation/canvas.h"
#include "paper/document.h"

namespace quantspot::evaluation {

class PaperCanvas final : public Canvas {
 public:
  explicit PaperCanvas(paper::Document& document) : document_(document) {}
  void line(Point from, Point to, Color color, double width, bool dashed) override;
  void polyline(const std::vector<Point>& points, Color color, double width) override;
  void fill(Box box, Color color) override;
  void circle(Point center, double radius, Color color, bool hollow) override;
  void text(Point at, std::string_view text, const TextStyle& style) override;
  double textWidth(std::string_view text, double size, bool bold = false) const override;

 private:
  paper::Document& document_;
};

inline paper::Color onPaper(Color color) { return {color.r, color.g, color.b}; }

}  // namespace quantspot::evaluation
