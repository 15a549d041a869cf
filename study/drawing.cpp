#include "study/drawing.h"

namespace quantspot::study {
namespace {

QByteArray number(double value) { return QByteArray::number(value, 'f', 2); }

QByteArray hex(Ink ink) {
  const Rgb c = rgb(ink);
  const auto byte = [](double v) { return QByteArray::number(static_cast<int>(v * 255 + 0.5), 16).rightJustified(2, '0'); };
  return '#' + byte(c.r) + byte(c.g) + byte(c.b);
}

QByteArray attribute(const char* name, const QByteArray& value) { return ' ' + QByteArray(name) + "=\"" + value + '"'; }

QByteArray svg(const Mark& m) {
  switch (m.shape) {
    case Mark::Stroke:
      return "<line" + attribute("x1", number(m.x)) + attribute("y1", number(m.y)) + attribute("x2", number(m.x2)) + attribute("y2", number(m.y2))
          + attribute("stroke", hex(m.ink)) + attribute("stroke-width", number(m.width)) + (m.dashed ? attribute("stroke-dasharray", "3 2") : QByteArray()) + "/>";
    case Mark::Dot:
    case Mark::Ring:
      return "<circle" + attribute("cx", number(m.x)) + attribute("cy", number(m.y)) + attribute("r", number(m.x2))
          + attribute("fill", m.shape == Mark::Dot ? hex(m.ink) : "#ffffff") + attribute("stroke", hex(m.ink)) + "/>";
    case Mark::Word: break;
  }
  const char* const anchors[] = {"start", "middle", "end"};
  return "<text" + attribute("x", number(m.x)) + attribute("y", number(m.y)) + attribute("font-size", number(m.x2)) + attribute("fill", hex(m.ink))
      + attribute("text-anchor", anchors[static_cast<int>(m.anchor * 2)]) + '>' + m.text.toHtmlEscaped().toUtf8() + "</text>";
}

}  // namespace

Rgb rgb(Ink ink) {
  switch (ink) {
    case Ink::Quiet: return {0.39, 0.42, 0.46};
    case Ink::Line: return {0.84, 0.85, 0.86};
    case Ink::Accent: return {0.18, 0.43, 0.71};
    case Ink::Second: return {0.76, 0.27, 0.56};
    case Ink::Text: break;
  }
  return {0.11, 0.13, 0.15};
}

void Drawing::stroke(double x, double y, double x2, double y2, Ink ink, double thickness, bool dashed) {
  marks.push_back({.shape = Mark::Stroke, .x = x, .y = y, .x2 = x2, .y2 = y2, .ink = ink, .width = thickness, .dashed = dashed, .anchor = 0, .text = {}});
}

void Drawing::dot(double x, double y, double radius, Ink ink, bool ring) {
  marks.push_back({.shape = ring ? Mark::Ring : Mark::Dot, .x = x, .y = y, .x2 = radius, .y2 = 0, .ink = ink, .width = 1, .dashed = false, .anchor = 0, .text = {}});
}

void Drawing::word(double x, double y, const QString& text, double anchor, Ink ink, double size) {
  marks.push_back({.shape = Mark::Word, .x = x, .y = y, .x2 = size, .y2 = 0, .ink = ink, .width = 0, .dashed = false, .anchor = anchor, .text = text});
}

QByteArray toSvg(const Drawing& drawing) {
  QByteArray text = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", number(drawing.width)) + attribute("height", number(drawing.height))
      + attribute("viewBox", "0 0 " + number(drawing.width) + ' ' + number(drawing.height)) + attribute("font-family", "Helvetica, Arial, sans-serif") + ">\n";
  for (const Mark& mark : drawing.marks) text += svg(mark) + '\n';
  return text + "</svg>\n";
}

}  // namespace quantspot::study
