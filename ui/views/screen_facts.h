// What the screen was like when an answer was given: logged beside it.
#pragma once

#include <QJsonObject>

class QWidget;

namespace quantspot::views {

// Window size and device pixel ratio, logical and physical dots per inch, refresh rate; under X11 the number of the monitor that holds the window's
// middle, and the SHA-256 of that monitor's colour profile (absent where the window system names none).
QJsonObject screenFacts(const QWidget& window);

}  // namespace quantspot::views
