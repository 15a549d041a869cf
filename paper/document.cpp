#include "paper/document.h"

#include <cairo/cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cstring>
#include <numbers>
#include <stdexcept>

namespace quantspot::paper {
namespace {

cairo_status_t append(void* closure, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

cairo_status_t readSpan(void* closure, unsigned char* data, unsigned int length) {
  auto& rest = *static_cast<std::span<const std::uint8_t>*>(closure);
  if (rest.size() < length) return CAIRO_STATUS_READ_ERROR;
  std::memcpy(data, rest.data(), length);
  rest = rest.subspan(length);
  return CAIRO_STATUS_SUCCESS;
}

void use(cairo_t* cairo, Color color) { cairo_set_source_rgb(cairo, color.r, color.g, color.b); }

}  // namespace

Document::Document(const std::string& title) {
  surface_ = cairo_pdf_surface_create_for_stream(append, &bytes_, kA4Width, kA4Height);
  cairo_ = cairo_create(surface_);
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_TITLE, title.c_str());
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_CREATOR, "QuantSpot");
  // Not the time at which it is made: the same figures give the same bytes.
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
}

Document::~Document() {
  cairo_destroy(cairo_);
  cairo_surface_finish(surface_);
  cairo_surface_destroy(surface_);
}

void Document::nextPage() {
  cairo_show_page(cairo_);
  ++page_;
}

void Document::text(Point at, std::string_view utf8, const Style& style, Anchor anchor, bool upwards) {
  const Layout layout = typesetter_.layout(utf8, style);
  int width = 0;
  pango_layout_get_size(layout.get(), &width, nullptr);
  const double length = static_cast<double>(width) / PANGO_SCALE;
  const double before = anchor == Anchor::Start ? 0 : anchor == Anchor::Middle ? length / 2 : length;
  cairo_save(cairo_);
  cairo_translate(cairo_, at.x, at.y);
  if (upwards) cairo_rotate(cairo_, -std::numbers::pi / 2);
  layoutLine({-before, 0}, *layout, 0, style.color);
  cairo_restore(cairo_);
}

void Document::layoutLine(Point at, PangoLayout& layout, int line, Color color) {
  use(cairo_, color);
  cairo_move_to(cairo_, at.x, at.y);
  pango_cairo_show_layout_line(cairo_, pango_layout_get_line_readonly(&layout, line));
  cairo_new_path(cairo_);
}

void Document::stroke(std::span<const Point> points, const Pen& pen) {
  const double dash[] = {3, 2};
  cairo_set_dash(cairo_, dash, pen.dashed ? 2 : 0, 0);
  cairo_set_line_width(cairo_, pen.width);
  use(cairo_, pen.color);
  for (const Point& p : points) cairo_line_to(cairo_, p.x, p.y);
  cairo_stroke(cairo_);
}

void Document::fill(Box box, Color color) {
  use(cairo_, color);
  cairo_rectangle(cairo_, box.x, box.y, box.width, box.height);
  cairo_fill(cairo_);
}

void Document::circle(Point center, double radius, Color color, bool hollow) {
  cairo_new_sub_path(cairo_);
  cairo_arc(cairo_, center.x, center.y, radius, 0, 2 * std::numbers::pi);
  use(cairo_, hollow ? Color{1, 1, 1} : color);
  cairo_fill_preserve(cairo_);
  cairo_set_dash(cairo_, nullptr, 0, 0);
  cairo_set_line_width(cairo_, 0.75);
  use(cairo_, color);
  cairo_stroke(cairo_);
}

bool Document::picture(std::span<const std::uint8_t> png, Box box) {
  cairo_surface_t* image = cairo_image_surface_create_from_png_stream(readSpan, &png);
  const bool good = cairo_surface_status(image) == CAIRO_STATUS_SUCCESS;
  if (good) {
    const double width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
    const double scale = std::min(box.width / width, box.height / height);
    cairo_save(cairo_);
    cairo_translate(cairo_, box.x, box.y);
    cairo_scale(cairo_, scale, scale);
    cairo_set_source_surface(cairo_, image, 0, 0);
    cairo_paint(cairo_);
    cairo_restore(cairo_);
  }
  cairo_surface_destroy(image);
  return good;
}

void Document::link(Box box, const std::string& uri) {
  std::string quoted;
  for (const char c : uri) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  char place[128];
  std::snprintf(place, sizeof place, " rect=[%.2f %.2f %.2f %.2f]", box.x, box.y, box.width, box.height);
  cairo_tag_begin(cairo_, CAIRO_TAG_LINK, ("uri='" + quoted + "'" + place).c_str());
  cairo_tag_end(cairo_, CAIRO_TAG_LINK);
}

void Document::bookmark(const std::string& name) {
  cairo_pdf_surface_add_outline(surface_, CAIRO_PDF_OUTLINE_ROOT, name.c_str(), ("page=" + std::to_string(page_)).c_str(), {});
}

std::string Document::bytes() {
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_KEYWORDS, typesetter_.setWith().c_str());
  const cairo_status_t drawn = cairo_status(cairo_);
  cairo_surface_finish(surface_);
  const cairo_status_t written = drawn == CAIRO_STATUS_SUCCESS ? cairo_surface_status(surface_) : drawn;
  if (written != CAIRO_STATUS_SUCCESS) throw std::runtime_error(std::string("cannot make the PDF: ") + cairo_status_to_string(written));
  return std::move(bytes_);
}

}  // namespace quantspot::paper
