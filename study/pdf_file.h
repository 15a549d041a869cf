// A PDF document of words, tables and drawings on A4, in the two Helveticas that every reader has: no fonts inside, no dates, no random ids.
#pragma once

#include "study/report.h"

namespace quantspot::study {

class PdfFile {
 public:
  explicit PdfFile(const QString& title) : title_(title) {}
  void add(const ReportBlock& block);
  QByteArray bytes() const;              // PDF 1.4

 private:
  struct Style {
    double size = 9.5, after = 4;
    bool bold = false;
    Ink ink = Ink::Text;
  };
  void paragraph(const QString& text, const Style& style);
  void table(const QList<QStringList>& rows);
  void chart(const Drawing& drawing);
  void need(double height);              // begins a page when there is less room
  void line(double x, const QByteArray& text, const Style& style);

  QString title_;
  std::vector<QByteArray> pages_;        // content streams
  double y_ = -1;                        // from the top of the page to where the next thing goes; below 0: no page yet
};

// Width of a text in points, set in Helvetica of size 1. Source: Adobe's metrics of the standard fonts.
double helveticaWidth(const QByteArray& winansi, bool bold);
// As the font's encoding has it; what it lacks is "?".
QByteArray toWinAnsi(const QString& text);

}  // namespace quantspot::study
