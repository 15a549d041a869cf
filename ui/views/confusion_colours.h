// Colours of a cell in a table of confusions.
#pragma once

#include "ui/views/theme.h"

namespace quantspot::views {

struct CellColours { QColor ground, text; };

// right: on the diagonal; share of its row, 0 (nothing there) to 1. The text has 4.5 : 1 or more on the ground.
inline CellColours confusionColours(bool right, double share) {
  const Theme& t = theme();
  if (share <= 0) return {t.window, t.quiet};
  const QColor& full = right ? t.right : t.wrong;
  const double strength = 0.15 + 0.7 * share;
  const auto mix = [&](int from, int to) { return static_cast<int>(from + strength * (to - from)); };
  const QColor ground(mix(t.window.red(), full.red()), mix(t.window.green(), full.green()), mix(t.window.blue(), full.blue()));
  return {ground, textOn(ground)};
}

}  // namespace quantspot::views
