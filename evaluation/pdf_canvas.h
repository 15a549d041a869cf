// A canvas on a page of a PDF, by cairo.
#pragma once

#include "evaluation/canvas.h"

#include <cairo/cairo.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace quantspot::evaluation {

struct CairoDelete {
  void operator()(cairo_t* cairo) const noexcept { cairo_destroy(cairo); }
  void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
};

class PdfCanvas final : public Canvas {
 public:
  PdfCanvas(const std::filesystem::path& file, double width, double height);   // points; throws std::runtime_error
  void line(Point from, Point to, Color color, double width, bool dashed) override;
  void polyline(const std::vector<Point>& points, Color color, double width) override;
  void fill(Box box, Color color) override;
  void circle(Point center, double radius, Color color, bool hollow) override;
  void text(Point at, std::string_view text, const TextStyle& style) override;
  double textWidth(std::string_view text, double size, bool bold = false) const override;
  // Fits into the box, its sides kept; false when this is no PNG.
  bool picture(std::span<const std::uint8_t> png, Box box);
  void nextPage();
  void finish(const std::filesystem::path& file);   // throws std::runtime_error; nothing is drawn after it

 private:
  void font(double size, bool bold) const;

  std::unique_ptr<cairo_surface_t, CairoDelete> surface_;
  std::unique_ptr<cairo_t, CairoDelete> cairo_;
};

}  // namespace quantspot::evaluation
