#include "ui/views/tile_caption.h"

#include "ui/views/theme.h"

#include <QFontMetricsF>
#include <QPainter>
#include <QPainterPath>

#include <cmath>
#include <numbers>

namespace quantspot::views {
namespace {

// All on middle grey: light text of the same weight everywhere, so that no caption draws the eye before another.
const QColor kInk("#ffffff"), kChip("#4d4d4d"), kRight("#1c7a44"), kWrong("#b3362f");

void drawTick(QPainter& painter, QRectF box, bool right) {
  const QPointF c = box.center();
  const double s = box.height() * 0.2;
  QPainterPath path;
  if (right) {
    path.moveTo(c + QPointF(-s, 0)), path.lineTo(c + QPointF(-s * 0.2, s * 0.8)), path.lineTo(c + QPointF(s * 1.1, -s));
  } else {
    path.moveTo(c + QPointF(-s, -s) * 0.8), path.lineTo(c + QPointF(s, s) * 0.8);
    path.moveTo(c + QPointF(-s, s) * 0.8), path.lineTo(c + QPointF(s, -s) * 0.8);
  }
  painter.strokePath(path, QPen(kInk, 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
}

struct Chip { QString text, struck; QColor ground; bool mark = false, right = false; };

Chip frontOf(const TileCaption& caption) { return {caption.guess.isEmpty() ? QStringLiteral("?") : caption.guess, {}, kChip, false, false}; }

Chip backOf(const TileCaption& caption) {
  const TileTruth& truth = caption.truth;
  const QString text = truth.note.isEmpty() ? truth.precision : truth.precision + QStringLiteral(" · ") + truth.note;
  if (truth.verdict == TileTruth::Told) return {text, {}, kChip, false, false};
  const bool right = truth.verdict == TileTruth::Right;
  return {text, right ? QString() : caption.guess, right ? kRight : kWrong, true, right};
}

// Returns the chip's width.
double paintChip(QPainter& painter, QRectF area, const Chip& chip, double narrowed) {
  const QFontMetricsF metrics(painter.font());
  const double height = 24, mark = chip.mark ? 18 : 0;
  const double width = std::min(area.width(), std::max(34.0, metrics.horizontalAdvance(chip.text) + 20 + mark));
  const QRectF box(area.left(), area.center().y() - height / 2, width, height);
  painter.save();
  painter.translate(box.center()), painter.scale(1, narrowed), painter.translate(-box.center());
  painter.setPen(Qt::NoPen), painter.setBrush(chip.ground);
  painter.drawRoundedRect(box, 4, 4);
  painter.setPen(kInk);
  if (chip.mark) drawTick(painter, QRectF(box.left() + 4, box.top(), 20, height), chip.right);
  const QRectF textBox = box.adjusted(10 + mark, 0, -8, 0);
  painter.drawText(textBox, Qt::AlignVCenter | Qt::AlignLeft, metrics.elidedText(chip.text, Qt::ElideRight, textBox.width() + 1));
  painter.restore();
  return width;
}

void paintStruckGuess(QPainter& painter, QRectF area, const QString& guess) {
  if (guess.isEmpty() || QFontMetricsF(painter.font()).horizontalAdvance(guess) > area.width()) return;   // whole or not at all
  painter.save();
  QFont font = painter.font();
  font.setStrikeOut(true);
  painter.setFont(font), painter.setPen(Qt::black);            // 4.7 : 1 on the grey; white has 4.48
  painter.drawText(area, Qt::AlignVCenter | Qt::AlignLeft, guess);
  painter.restore();
}

}  // namespace

void paintCaption(QPainter& painter, const QRectF& area, QChar letter, const TileCaption& caption, double turned, bool armed) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  QFont bold = painter.font();
  bold.setBold(true), bold.setPointSizeF(bold.pointSizeF() * 1.15);
  const QFont plain = painter.font();
  const QRectF badge(area.left(), area.center().y() - 12, 26, 24);
  painter.setPen(Qt::NoPen), painter.setBrush(armed ? kInk : kChip), painter.drawRoundedRect(badge, 4, 4);
  painter.setFont(bold), painter.setPen(armed ? QColor("#2b2b2b") : kInk);
  painter.drawText(badge, Qt::AlignCenter, letter);
  painter.setFont(plain);
  if (!caption.chip) return painter.restore();
  const bool back = turned >= 0.5 && !caption.truth.precision.isEmpty();
  const Chip chip = back ? backOf(caption) : frontOf(caption);
  const double narrowed = std::abs(std::cos(turned * std::numbers::pi));
  const QRectF rest = area.adjusted(34, 0, 0, 0);
  const double width = paintChip(painter, rest, chip, std::max(0.02, narrowed));
  if (turned >= 1) paintStruckGuess(painter, rest.adjusted(width + 10, 0, 0, 0), chip.struck);
  painter.restore();
}

}  // namespace quantspot::views
