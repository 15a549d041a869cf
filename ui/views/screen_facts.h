// What the screen was like when an answer was given: logged beside it.
#pragma once

#include <QJsonObject>

class QWidget;

namespace quantspot::views {

// Window size and device pixel ratio, logical and physical dots per inch, refresh rate, and the monitor's colour profile (its SHA-256 under X11;
// absent where the window system names none).
QJsonObject screenFacts(const QWidget& window);

}  // namespace quantspot::views
