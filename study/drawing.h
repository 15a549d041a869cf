// Pictures of lines, dots and words for reports. As SVG they are written by ourselves, so that the same figures give the same bytes on every
// machine and a bundle's report can be checked.
#pragma once

#include <QByteArray>
#include <QString>

#include <vector>

namespace quantspot::study {

enum class Ink { Text, Quiet, Line, Accent, Second };   // colours of the page
struct Rgb {
  double r = 0, g = 0, b = 0;                           // 0 to 1
};
Rgb rgb(Ink ink);

// One stroke, dot or word. x runs right and y down, in points from the upper left corner.
struct Mark {
  enum Shape { Stroke, Dot, Ring, Word } shape = Stroke;
  double x = 0, y = 0, x2 = 0, y2 = 0;   // Stroke: both ends; Dot, Ring: centre, x2 the radius; Word: the baseline, x2 the size of the letters
  Ink ink = Ink::Text;
  double width = 1;                      // of a Stroke
  bool dashed = false;
  double anchor = 0;                     // Word: 0 begins at x, 0.5 is centred, 1 ends there
  QString text;
};

struct Drawing {
  double width = 0, height = 0;
  std::vector<Mark> marks;

  void stroke(double x, double y, double x2, double y2, Ink ink, double thickness = 1, bool dashed = false);
  void dot(double x, double y, double radius, Ink ink, bool ring = false);
  void word(double x, double y, const QString& text, double anchor = 0, Ink ink = Ink::Text, double size = 8.5);
};

QByteArray toSvg(const Drawing& drawing);

}  // namespace quantspot::study
