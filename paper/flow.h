// Headings, paragraphs, tables and drawings one below the other, over as many A4 pages as they take.
#pragma once

#include "paper/document.h"

namespace quantspot::paper {

class Flow {
 public:
  explicit Flow(const std::string& title) : document_(title), title_(title) {}

  // Not alone at the foot of a page: `below` is the height of what must stand on the same one.
  void heading(std::string_view text, double size, double below = 40, bool bookmarked = true);
  void paragraph(std::string_view text, const Style& style = {}, double after = 4, double indent = 0);
  // Columns as wide as their longest cell; where they do not fit, letters become smaller and then the widest cells are broken into lines.
  // The first row is the header, which stands again on every page that the table goes on to.
  void table(const std::vector<std::vector<std::string>>& rows);
  // Room for something as high (a page at most), and where it is.
  Box take(double height);
  void space(double height) { y_ += height; }

  Document& document() { return document_; }
  // Ends it, and says at the foot which letters no font had. Throws std::runtime_error.
  std::string bytes();

 private:
  void need(double height);
  void footer();
  double cells(const std::vector<std::string>& row, const std::vector<double>& widths, const Style& style, bool draw);

  Document document_;
  std::string title_;
  double y_ = 50;
};

}  // namespace quantspot::paper
