// The line above a tile: its letter, the guess as a chip, and after the reveal the truth, which turns over in place.
#pragma once

#include <QColor>
#include <QRectF>
#include <QString>

class QPainter;

namespace quantspot::views {

struct TileTruth {
  QString precision, note;    // note: "reference", "was the odd one", …; may be empty
  enum Verdict { Told, Right, Wrong } verdict = Told;   // Told: nothing was guessed
};

struct TileCaption {
  QString guess;              // what the user said; empty before
  TileTruth truth;            // empty precision: not revealed
  bool chip = true;           // false: the letter alone
};

// turned: 0 the guess, 1 the truth, between: the chip on its way, seen narrower.
void paintCaption(QPainter& painter, const QRectF& area, QChar letter, const TileCaption& caption, double turned, bool armed);

}  // namespace quantspot::views
