// Words in any script, shaped and broken into lines by Pango.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using PangoContext = struct _PangoContext;
using PangoLayout = struct _PangoLayout;

namespace quantspot::paper {

struct Color {
  double r = 0.11, g = 0.13, b = 0.15;   // 0 to 1, sRGB
};

struct Style {
  double size = 9.5;                     // points
  bool bold = false;
  Color color;
};

struct LayoutDelete {
  void operator()(PangoLayout* layout) const noexcept;
};
using Layout = std::unique_ptr<PangoLayout, LayoutDelete>;

class Typesetter {
 public:
  Typesetter();
  ~Typesetter();
  Typesetter(const Typesetter&) = delete;
  Typesetter& operator=(const Typesetter&) = delete;

  // UTF-8; what is none becomes U+FFFD. Broken into lines of `width` points, or one line where that is 0. A letter that no font has stands as
  // its code point, such as [U+1F98A]. Text that reads from right to left begins at the right.
  Layout layout(std::string_view utf8, const Style& style, double width = 0);
  double width(std::string_view utf8, const Style& style);   // points, of one line

  const std::set<char32_t>& missing() const { return missing_; }   // letters that no font here has
  // The libraries and fonts that drew what was laid out, such as "cairo 1.16.0, pango 1.50.12, …; DejaVu Sans 2.37".
  // Files drawn from the same words by the same of them have the same bytes.
  std::string setWith() const;

 private:
  std::string withoutMissing(std::string text, PangoLayout& layout);
  void remember(PangoLayout& layout);

  PangoContext* context_;
  std::set<char32_t> missing_;
  std::set<std::string> fonts_;
};

}  // namespace quantspot::paper
