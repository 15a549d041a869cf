// What charts are drawn on: an SVG text, or a page of a PDF.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantspot::evaluation {

struct Color { double r = 0, g = 0, b = 0; };              // 0 … 1, sRGB
struct Box { double x = 0, y = 0, width = 0, height = 0; };
struct Point { double x = 0, y = 0; };
enum class Anchor { Start, Middle, End };

struct TextStyle {
  double size = 10;
  Anchor anchor = Anchor::Start;
  bool bold = false;
  bool upwards = false;                                    // turned by 90° to the left
  Color color = {0.2, 0.2, 0.2};
};

// Units: CSS pixels in SVG, points in PDF; y goes down. Text stands on its baseline.
class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void line(Point from, Point to, Color color, double width = 1, bool dashed = false) = 0;
  virtual void polyline(const std::vector<Point>& points, Color color, double width = 1.5) = 0;
  virtual void fill(Box box, Color color) = 0;
  virtual void circle(Point center, double radius, Color color, bool hollow = false) = 0;
  virtual void text(Point at, std::string_view text, const TextStyle& style) = 0;
  virtual double textWidth(std::string_view text, double size, bool bold = false) const = 0;
  // What is drawn until endLink() tells `tip` under the mouse, and leads to `target` ("#id") when pressed. Paper has neither.
  virtual void beginLink(const std::string& /*target*/, const std::string& /*tip*/) {}
  virtual void endLink() {}
};

// XML with &, <, >, " and ' escaped.
std::string escaped(std::string_view text);

class SvgCanvas final : public Canvas {
 public:
  SvgCanvas(double width, double height) : width_(width), height_(height) {}
  void line(Point from, Point to, Color color, double width, bool dashed) override;
  void polyline(const std::vector<Point>& points, Color color, double width) override;
  void fill(Box box, Color color) override;
  void circle(Point center, double radius, Color color, bool hollow) override;
  void text(Point at, std::string_view text, const TextStyle& style) override;
  double textWidth(std::string_view text, double size, bool bold) const override;   // estimated: the reader's font decides
  void beginLink(const std::string& target, const std::string& tip) override;
  void endLink() override;
  std::string svg(const std::string& title) const;         // one <svg> element

 private:
  double width_, height_;
  std::string body_;
  bool linked_ = false;
};

}  // namespace quantspot::evaluation
