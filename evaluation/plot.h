// A frame with axes, ticks and a legend; charts put their marks into it.
#pragma once

#include "evaluation/canvas.h"

#include <functional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct Axis {
  std::string label;
  double low = 0, high = 1;
  std::function<std::string(double)> text = {};            // of a tick; absent: the number
};

// Round numbers that cover low … high, about `count` of them. An empty or endless range gives one around it.
std::vector<double> ticks(double low, double high, int count = 5);
// An axis with some air around these values; `zero`: it begins at 0.
Axis axisOf(std::string label, const std::vector<double>& values, bool zero, std::function<std::string(double)> text = {});
// The colour of a precision's family: blue for 16 and 32 bits, teal fp8, orange 8-bit, magenta 4-bit, violet GGUF, in another shade for each
// of `place` inside the family.
Color precisionColor(const std::string& precision, std::size_t place = 0);
// The same for a list: places counted per family.
std::vector<Color> precisionColors(const std::vector<std::string>& precisions);

class Plot {
 public:
  // Draws title, axes, grid. `place`: of the whole chart.
  Plot(Canvas& canvas, Box place, const std::string& title, Axis x, Axis y, bool xTicks = true);
  Point at(double x, double y) const;
  Box area() const { return area_; }
  Canvas& canvas() { return canvas_; }
  void legend(const std::vector<std::string>& names, const std::vector<Color>& colors);   // below the chart
  // An interval, upright.
  void whisker(double x, double low, double high, Color color);

 private:
  Canvas& canvas_;
  Box place_, area_;
  Axis x_, y_;
};

}  // namespace quantspot::evaluation
