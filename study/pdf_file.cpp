#include "study/pdf_file.h"

#include <QHash>

#include <algorithm>

namespace quantspot::study {
namespace {

constexpr double kWide = 595, kHigh = 842, kMargin = 50, kRoom = kWide - 2 * kMargin, kLeading = 1.3;

// Of the characters from space to tilde, in thousandths of the size.
constexpr short kPlain[] = {278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
    584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278,
    278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334,
    584};
constexpr short kBold[] = {278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333,
    584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278,
    333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389,
    584};
static_assert(sizeof kPlain == 95 * sizeof(short) && sizeof kBold == sizeof kPlain);

QByteArray number(double value) { return QByteArray::number(value, 'f', 2); }

QByteArray color(Ink ink, const char* operation) {
  const Rgb c = rgb(ink);
  return number(c.r) + ' ' + number(c.g) + ' ' + number(c.b) + ' ' + operation + '\n';
}

QByteArray literal(const QByteArray& text) {
  QByteArray result = "(";
  for (const char c : text) {
    if (c == '(' || c == ')' || c == '\\') result += '\\';
    result += c;
  }
  return result + ')';
}

QByteArray words(double x, double y, const QByteArray& text, double size, bool bold, Ink ink) {
  return color(ink, "rg") + "BT /" + (bold ? "F2 " : "F1 ") + number(size) + " Tf " + number(x) + ' ' + number(kHigh - y) + " Td " + literal(text) + " Tj ET\n";
}

QByteArray circle(double x, double y, double r, bool ring) {
  const double k = r * 0.5522847498;   // four Bézier arcs
  const auto at = [&](double dx, double dy) { return number(x + dx) + ' ' + number(kHigh - (y + dy)) + ' '; };
  return (ring ? QByteArray("1 1 1 rg\n") : QByteArray()) + at(r, 0) + "m " + at(r, k) + at(k, r) + at(0, r) + "c " + at(-k, r) + at(-r, k) + at(-r, 0) + "c "
      + at(-r, -k) + at(-k, -r) + at(0, -r) + "c " + at(k, -r) + at(r, -k) + at(r, 0) + "c B\n";
}

QByteArray drawn(const Mark& m, double left, double top) {
  switch (m.shape) {
    case Mark::Stroke:
      return color(m.ink, "RG") + number(m.width) + " w " + (m.dashed ? "[3 2] 0 d " : "[] 0 d ") + number(left + m.x) + ' ' + number(kHigh - top - m.y) + " m "
          + number(left + m.x2) + ' ' + number(kHigh - top - m.y2) + " l S\n";
    case Mark::Dot:
    case Mark::Ring:
      return color(m.ink, "RG") + color(m.ink, "rg") + "1 w [] 0 d " + circle(left + m.x, top + m.y, m.x2, m.shape == Mark::Ring);
    case Mark::Word: break;
  }
  const QByteArray text = toWinAnsi(m.text);
  return words(left + m.x - m.anchor * helveticaWidth(text, false) * m.x2, top + m.y, text, m.x2, false, m.ink);
}

// Lines of at most `width`, broken at spaces, and inside a word only when it is longer than a line.
QList<QByteArray> wrapped(const QByteArray& text, double width, double size, bool bold) {
  QList<QByteArray> lines{QByteArray()};
  const auto fits = [&](const QByteArray& line) { return helveticaWidth(line, bold) * size <= width; };
  for (QByteArray word : text.split(' ')) {
    const QByteArray longer = lines.last().isEmpty() ? word : lines.last() + ' ' + word;
    if (fits(longer)) {
      lines.last() = longer;
      continue;
    }
    if (!lines.last().isEmpty()) lines << QByteArray();
    while (!fits(word)) {
      qsizetype n = word.size() - 1;
      while (n > 1 && !fits(word.left(n))) --n;
      lines.last() = word.left(n);
      lines << QByteArray();
      word = word.mid(n);
    }
    lines.last() = word;
  }
  return lines;
}

}  // namespace

double helveticaWidth(const QByteArray& text, bool bold) {
  int sum = 0;
  for (const char c : text) sum += c >= ' ' && c <= '~' ? (bold ? kBold : kPlain)[c - ' '] : 556;
  return sum / 1000.0;
}

QByteArray toWinAnsi(const QString& text) {
  static const QHash<char16_t, QByteArray> kOther{{u'–', "\x96"}, {u'—', "\x97"}, {u'‘', "\x91"}, {u'’', "\x92"}, {u'“', "\x93"}, {u'”', "\x94"}, {u'…', "\x85"},
      {u'•', "\x95"}, {u'€', "\x80"}, {u'′', "'"}, {u'−', "-"}, {u'∞', "inf"}, {u'α', "alpha"}, {u'χ', "chi"}, {u'τ', "tau"}, {u'ρ', "rho"}, {u'≤', "<="}, {u'≥', ">="}};
  QByteArray result;
  for (const QChar c : text) {
    const char16_t code = c.unicode();
    if (c.isLowSurrogate()) continue;   // its other half is the "?"
    if ((code >= 32 && code < 127) || (code >= 161 && code < 256)) result += static_cast<char>(code);
    else if (kOther.contains(code)) result += kOther[code];
    else result += c.isSpace() ? ' ' : '?';
  }
  return result;
}

void PdfFile::need(double height) {
  if (y_ >= 0 && y_ + height <= kHigh - kMargin) return;
  pages_.emplace_back();
  y_ = kMargin;
}

void PdfFile::line(double x, const QByteArray& text, const Style& style) {
  pages_.back() += words(x, y_ + style.size, text, style.size, style.bold, style.ink);
}

void PdfFile::paragraph(const QString& text, const Style& style) {
  for (const QByteArray& row : wrapped(toWinAnsi(text), kRoom, style.size, style.bold)) {
    need(style.size * kLeading);
    line(kMargin, row, style);
    y_ += style.size * kLeading;
  }
  y_ += style.after;
}

// Columns as wide as their longest cell; when they do not fit, all letters become smaller.
void PdfFile::table(const QList<QStringList>& rows) {
  std::vector<double> widths;
  for (const QStringList& row : rows) {
    widths.resize(std::max<std::size_t>(widths.size(), static_cast<std::size_t>(row.size())));
    for (qsizetype i = 0; i < row.size(); ++i) {
      double& width = widths[static_cast<std::size_t>(i)];
      width = std::max(width, helveticaWidth(toWinAnsi(row[i]), &row == &rows.first()));
    }
  }
  double all = 0;
  for (double width : widths) all += width;
  constexpr double kGap = 1;   // of the size, after each column
  const double size = std::min(8.5, kRoom / (all + kGap * static_cast<double>(widths.size())));
  for (const QStringList& row : rows) {
    need(size * kLeading);
    double x = kMargin;
    for (qsizetype i = 0; i < row.size(); ++i) {
      line(x, toWinAnsi(row[i]), {.size = size, .after = 0, .bold = &row == &rows.first(), .ink = Ink::Text});
      x += (widths[static_cast<std::size_t>(i)] + kGap) * size;
    }
    y_ += size * kLeading;
  }
  y_ += 6;
}

void PdfFile::chart(const Drawing& drawing) {
  need(std::min(drawing.height, kHigh - 2 * kMargin));
  for (const Mark& mark : drawing.marks) pages_.back() += drawn(mark, kMargin, y_);
  y_ += drawing.height + 4;
}

void PdfFile::add(const ReportBlock& block) {
  switch (block.kind) {
    case ReportBlock::Decision: return paragraph(block.text, {.size = 12, .after = 6, .bold = false, .ink = Ink::Text});
    case ReportBlock::Title: y_ += y_ < 0 ? 0 : 8; return paragraph(block.text, {.size = 17, .after = 6, .bold = true, .ink = Ink::Text});
    case ReportBlock::Heading:
      need(block.drawing.height + 60);   // not alone at the foot of a page, nor away from its chart
      y_ += 8;
      return paragraph(block.text, {.size = 11.5, .after = 3, .bold = true, .ink = Ink::Text});
    case ReportBlock::Note: return paragraph(block.text, {.size = 8, .after = 6, .bold = false, .ink = Ink::Quiet});
    case ReportBlock::Table: return table(block.rows);
    case ReportBlock::Chart: return chart(block.drawing);
    case ReportBlock::Paragraph: return paragraph(block.text, {});
  }
}

QByteArray PdfFile::bytes() const {
  QList<QByteArray> objects{"<< /Type /Catalog /Pages 2 0 R >>", QByteArray(), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
      "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
      "<< /Title " + literal(toWinAnsi(title_)) + " /Producer (QuantSpot) >>"};
  QByteArray kids;
  for (const QByteArray& content : pages_) {
    const QByteArray page = QByteArray::number(objects.size() + 1), stream = QByteArray::number(objects.size() + 2);
    kids += page + " 0 R ";
    objects << "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents " + stream + " 0 R >>";
    objects << "<< /Length " + QByteArray::number(content.size()) + " >>\nstream\n" + content + "endstream";
  }
  objects[1] = "<< /Type /Pages /Count " + QByteArray::number(static_cast<int>(pages_.size())) + " /Kids [" + kids + "] >>";
  QByteArray file = "%PDF-1.4\n%\xE2\xE3\xCF\xD3\n", places = "0000000000 65535 f \n";
  for (qsizetype i = 0; i < objects.size(); ++i) {
    places += QByteArray::number(file.size()).rightJustified(10, '0') + " 00000 n \n";
    file += QByteArray::number(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
  }
  const QByteArray start = QByteArray::number(file.size()), count = QByteArray::number(objects.size() + 1);
  return file + "xref\n0 " + count + '\n' + places + "trailer\n<< /Size " + count + " /Root 1 0 R /Info 5 0 R >>\nstartxref\n" + start + "\n%%EOF\n";
}

}  // namespace quantspot::study
