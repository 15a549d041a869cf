// The few icons, drawn in the colour of the text around them; no files, sharp at any scale.
#pragma once

#include <QIcon>

namespace quantspot::views {

enum class Glyph { Dice, Reload, Theme, Undo, Cog };
QIcon icon(Glyph glyph, const QColor& color);

}  // namespace quantspot::views
