// A PDF document that is drawn page by page and kept in memory. Fonts are embedded; nothing in it depends on when or where it was made, except
// on the fonts there are, which its keywords name (Typesetter::setWith). Lengths are points; x runs right and y down from a page's upper left corner.
#pragma once

#include "paper/typesetter.h"

#include <cstdint>
#include <span>

using cairo_t = struct _cairo;
using cairo_surface_t = struct _cairo_surface;

namespace quantspot::paper {

inline constexpr double kA4Width = 595, kA4Height = 842;

struct Point { double x = 0, y = 0; };
struct Box { double x = 0, y = 0, width = 0, height = 0; };
enum class Anchor { Start, Middle, End };

struct Pen {
  Color color;
  double width = 1;
  bool dashed = false;
};

class Document {
 public:
  explicit Document(const std::string& title);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  void nextPage();
  int page() const { return page_; }                       // from 1
  // One line; at.y is its baseline. upwards: turned by 90° to the left.
  void text(Point at, std::string_view utf8, const Style& style, Anchor anchor = Anchor::Start, bool upwards = false);
  void stroke(std::span<const Point> points, const Pen& pen);
  void fill(Box box, Color color);
  void circle(Point center, double radius, Color color, bool hollow = false);   // hollow: white inside
  // Fits into the box, its sides kept; false when this is no PNG.
  bool picture(std::span<const std::uint8_t> png, Box box);
  void layoutLine(Point at, PangoLayout& layout, int line, Color color);         // at.y is its baseline
  void link(Box box, const std::string& uri);
  void bookmark(const std::string& name);                  // of this page, in the reader's list of contents

  Typesetter& typesetter() { return typesetter_; }
  std::string bytes();                                     // ends it; nothing is drawn after. Throws std::runtime_error

 private:
  cairo_t* cairo_;
  cairo_surface_t* surface_;
  std::string bytes_;
  Typesetter typesetter_;
  int page_ = 1;
};

}  // namespace quantspot::paper
