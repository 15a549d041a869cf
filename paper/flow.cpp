#include "paper/flow.h"

#include <pango/pango.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace quantspot::paper {
namespace {

constexpr double kMargin = 50, kRoom = kA4Width - 2 * kMargin, kLeading = 1.3, kGap = 8;   // kGap: between columns, points
constexpr Color kQuiet{0.39, 0.42, 0.46}, kLine{0.75, 0.77, 0.79};

double points(int units) { return static_cast<double>(units) / PANGO_SCALE; }

// Lines that stand alone, each as far from the left as its script asks.
template <class Body>
void eachLine(PangoLayout& layout, Body&& body) {
  PangoLayoutIter* at = pango_layout_get_iter(&layout);
  int line = 0;
  do {
    PangoRectangle place;
    pango_layout_iter_get_line_extents(at, nullptr, &place);
    body(line++, points(place.x), points(place.height));
  } while (pango_layout_iter_next_line(at));
  pango_layout_iter_free(at);
}

// Widths that fit: the widest columns give way first, down to a common width.
std::vector<double> fitted(std::vector<double> widths, double room) {
  if (std::accumulate(widths.begin(), widths.end(), 0.0) <= room) return widths;
  std::vector<double> order = widths;
  std::sort(order.begin(), order.end());
  double used = 0, most = room / static_cast<double>(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    most = (room - used) / static_cast<double>(order.size() - i);
    if (order[i] > most) break;
    used += order[i];
  }
  for (double& width : widths) width = std::min(width, most);
  return widths;
}

}  // namespace

void Flow::need(double height) {
  if (y_ + height <= kA4Height - kMargin) return;
  footer();
  document_.nextPage();
  y_ = kMargin;
}

void Flow::footer() {
  const Style style{.size = 7.5, .bold = false, .color = kQuiet};
  document_.text({kA4Width / 2, kA4Height - 26}, std::to_string(document_.page()), style, Anchor::Middle);
}

void Flow::heading(std::string_view text, double size, double below, bool bookmarked) {
  need(std::min(size * 2.2 + below, kA4Height - 2 * kMargin));
  if (y_ > kMargin) y_ += size * 0.7;
  if (bookmarked) document_.bookmark(std::string(text));
  paragraph(text, {.size = size, .bold = true, .color = {}}, size * 0.3);
}

void Flow::paragraph(std::string_view text, const Style& style, double after, double indent) {
  const Layout layout = document_.typesetter().layout(text, style, kRoom - indent);
  eachLine(*layout, [&](int line, double x, double height) {
    const double leading = std::max(style.size * kLeading, height);   // some scripts are higher
    need(leading);
    document_.layoutLine({kMargin + indent + x, y_ + style.size}, *layout, line, style.color);
    y_ += leading;
  });
  y_ += after;
}

double Flow::cells(const std::vector<std::string>& row, const std::vector<double>& widths, const Style& style, bool draw) {
  double x = kMargin, highest = style.size * kLeading;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Layout layout = document_.typesetter().layout(row[i], style, widths[i] + 0.5);
    double y = y_;
    eachLine(*layout, [&](int line, double indent, double height) {
      if (draw) document_.layoutLine({x + indent, y + style.size}, *layout, line, style.color);
      y += std::max(style.size * kLeading, height);
    });
    highest = std::max(highest, y - y_);
    x += widths[i] + kGap;
  }
  return highest;
}

void Flow::table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return;
  std::size_t columns = 0;
  for (const auto& row : rows) columns = std::max(columns, row.size());
  const double room = kRoom - kGap * static_cast<double>(columns - 1);
  Style style{.size = 8.5, .bold = false, .color = {}};
  std::vector<double> widths;
  for (;; style.size -= 0.5) {
    widths.assign(columns, 0);
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t i = 0; i < rows[r].size(); ++i)
        widths[i] = std::max(widths[i], document_.typesetter().width(rows[r][i], {.size = style.size, .bold = r == 0, .color = {}}));
    if (style.size <= 6.5 || std::accumulate(widths.begin(), widths.end(), 0.0) <= room) break;
  }
  widths = fitted(std::move(widths), room);
  const Style head{.size = style.size, .bold = true, .color = {}};
  const auto header = [&] {
    const double height = cells(rows[0], widths, head, true);
    y_ += height + 1;
    const Point line[] = {{kMargin, y_}, {kMargin + kRoom, y_}};
    document_.stroke(line, {.color = kLine, .width = 0.6});
    y_ += 2;
  };
  need(3 * style.size * kLeading);
  header();
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const int page = document_.page();
    need(cells(rows[r], widths, style, false));
    if (document_.page() != page) header();
    y_ += cells(rows[r], widths, style, true);
  }
  y_ += 6;
}

Box Flow::take(double height) {
  need(std::min(height, kA4Height - 2 * kMargin));
  const Box box{kMargin, y_, kRoom, height};
  y_ += height;
  return box;
}

std::string Flow::bytes() {
  const auto& missing = document_.typesetter().missing();
  if (!missing.empty()) {
    std::string list;
    for (const char32_t letter : missing) {
      char code[16];
      std::snprintf(code, sizeof code, "%sU+%04X", list.empty() ? "" : ", ", static_cast<unsigned>(letter));
      list += code;
    }
    paragraph("No font on this computer has these letters, which stand as their code points: " + list + ".",
              {.size = 8, .bold = false, .color = kQuiet});
  }
  footer();
  return document_.bytes();
}

}  // namespace quantspot::paper
