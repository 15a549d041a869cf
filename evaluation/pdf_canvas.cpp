#include "evaluation/pdf_canvas.h"

#include <cairo/cairo-pdf.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

void check(cairo_status_t status, const std::filesystem::path& file) {
  if (status != CAIRO_STATUS_SUCCESS) throw std::runtime_error("cannot write " + file.string() + ": " + cairo_status_to_string(status));
}

void use(cairo_t* cairo, Color color) { cairo_set_source_rgb(cairo, color.r, color.g, color.b); }

cairo_status_t readSpan(void* closure, unsigned char* data, unsigned int length) {
  auto& rest = *static_cast<std::span<const std::uint8_t>*>(closure);
  if (rest.size() < length) return CAIRO_STATUS_READ_ERROR;
  std::memcpy(data, rest.data(), length);
  rest = rest.subspan(length);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

PdfCanvas::PdfCanvas(const std::filesystem::path& file, double width, double height)
    : surface_(cairo_pdf_surface_create(file.c_str(), width, height)), cairo_(cairo_create(surface_.get())) {
  check(cairo_surface_status(surface_.get()), file);
  cairo_pdf_surface_set_metadata(surface_.get(), CAIRO_PDF_METADATA_TITLE, "QuantSpot comparison");
}

void PdfCanvas::line(Point from, Point to, Color color, double width, bool dashed) {
  const double dash[] = {4, 3};
  cairo_set_dash(cairo_.get(), dash, dashed ? 2 : 0, 0);
  cairo_set_line_width(cairo_.get(), width * 0.75);
  use(cairo_.get(), color);
  cairo_move_to(cairo_.get(), from.x, from.y);
  cairo_line_to(cairo_.get(), to.x, to.y);
  cairo_stroke(cairo_.get());
}

void PdfCanvas::polyline(const std::vector<Point>& points, Color color, double width) {
  cairo_set_dash(cairo_.get(), nullptr, 0, 0);
  cairo_set_line_width(cairo_.get(), width * 0.75);
  use(cairo_.get(), color);
  for (const Point& p : points) cairo_line_to(cairo_.get(), p.x, p.y);
  cairo_stroke(cairo_.get());
}

void PdfCanvas::fill(Box box, Color color) {
  use(cairo_.get(), color);
  cairo_rectangle(cairo_.get(), box.x, box.y, box.width, box.height);
  cairo_fill(cairo_.get());
}

void PdfCanvas::circle(Point center, double radius, Color color, bool hollow) {
  cairo_new_sub_path(cairo_.get());
  cairo_arc(cairo_.get(), center.x, center.y, radius, 0, 2 * M_PI);
  use(cairo_.get(), hollow ? Color{1, 1, 1} : color);
  cairo_fill_preserve(cairo_.get());
  cairo_set_dash(cairo_.get(), nullptr, 0, 0);
  cairo_set_line_width(cairo_.get(), 0.75);
  use(cairo_.get(), color);
  cairo_stroke(cairo_.get());
}

void PdfCanvas::font(double size, bool bold) const {
  cairo_select_font_face(cairo_.get(), "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo_.get(), size);
}

double PdfCanvas::textWidth(std::string_view text, double size, bool bold) const {
  font(size, bold);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo_.get(), std::string(text).c_str(), &extents);
  return extents.x_advance;
}

void PdfCanvas::text(Point at, std::string_view text, const TextStyle& style) {
  const double width = textWidth(text, style.size, style.bold);
  use(cairo_.get(), style.color);
  cairo_save(cairo_.get());
  cairo_translate(cairo_.get(), at.x, at.y);
  if (style.upwards) cairo_rotate(cairo_.get(), -M_PI / 2);
  cairo_move_to(cairo_.get(), style.anchor == Anchor::Start ? 0 : style.anchor == Anchor::Middle ? -width / 2 : -width, 0);
  cairo_show_text(cairo_.get(), std::string(text).c_str());
  cairo_restore(cairo_.get());
  cairo_new_path(cairo_.get());
}

bool PdfCanvas::picture(std::span<const std::uint8_t> png, Box box) {
  const std::unique_ptr<cairo_surface_t, CairoDelete> image(cairo_image_surface_create_from_png_stream(readSpan, &png));
  if (cairo_surface_status(image.get()) != CAIRO_STATUS_SUCCESS) return false;
  const double width = cairo_image_surface_get_width(image.get()), height = cairo_image_surface_get_height(image.get());
  const double scale = std::min(box.width / width, box.height / height);
  cairo_save(cairo_.get());
  cairo_translate(cairo_.get(), box.x, box.y);
  cairo_scale(cairo_.get(), scale, scale);
  cairo_set_source_surface(cairo_.get(), image.get(), 0, 0);
  cairo_paint(cairo_.get());
  cairo_restore(cairo_.get());
  return true;
}

void PdfCanvas::nextPage() { cairo_show_page(cairo_.get()); }

void PdfCanvas::finish(const std::filesystem::path& file) {
  check(cairo_status(cairo_.get()), file);
  cairo_.reset();
  cairo_surface_finish(surface_.get());
  check(cairo_surface_status(surface_.get()), file);
}

}  // namespace quantspot::evaluation
