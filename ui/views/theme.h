// Colours and the two themes. Images never touch these: around them it is always neutral grey.
#pragma once

#include <QColor>
#include <QString>

class QApplication;
class QWidget;

namespace quantspot::views {

inline constexpr QColor kNeutralGrey{119, 119, 119};   // sRGB middle grey: L* 50, no hue to compare against

struct Theme {
  bool dark = false;
  QColor window, panel, field, line, text, quiet, accent, onAccent, right, wrong;
};

const Theme& theme();
void applyTheme(QApplication& application, bool dark);

// Changes the property by which the style sheet knows the widget, and draws it so.
void setRole(QWidget* widget, const char* role);

// Colour of a precision's family: blue 16 and 32 bit, teal fp8, orange 8 bit, magenta 4 bit and fewer, violet GGUF.
// Never on a blind screen.
QColor precisionColor(const QString& precision);
// Text on a ground of that colour.
QColor textOn(const QColor& ground);

}  // namespace quantspot::views
