#include "ui/views/icons.h"

#include <QPainter>
#include <QPainterPath>

#include <cmath>
#include <numbers>

namespace quantspot::views {
namespace {

// All on a square of 16 × 16.
void drawDice(QPainter& painter, const QColor& color) {
  painter.drawRoundedRect(QRectF(2.5, 2.5, 11, 11), 2.5, 2.5);
  painter.setPen(Qt::NoPen), painter.setBrush(color);
  for (const QPointF pip : {QPointF(5.5, 5.5), QPointF(8, 8), QPointF(10.5, 10.5)}) painter.drawEllipse(pip, 1.2, 1.2);
}

void drawArrowHead(QPainter& painter, const QColor& color, QPointF tip, double degrees) {
  painter.save();
  painter.translate(tip), painter.rotate(degrees);
  painter.setPen(Qt::NoPen), painter.setBrush(color);
  painter.drawPolygon(QPolygonF{{0, -3}, {4.2, 0}, {0, 3}});
  painter.restore();
}

void drawReload(QPainter& painter, const QColor& color) {
  painter.drawArc(QRectF(3, 3, 10, 10), 40 * 16, 290 * 16);
  drawArrowHead(painter, color, {11.2, 4.2}, 60);
}

void drawUndo(QPainter& painter, const QColor& color) {
  QPainterPath path({5, 6});
  path.lineTo(9.5, 6), path.cubicTo(14, 6, 14, 13, 9.5, 13), path.lineTo(6, 13);
  painter.drawPath(path);
  drawArrowHead(painter, color, {6, 6}, 180);
}

void drawTheme(QPainter& painter, const QColor& color) {
  painter.drawEllipse(QPointF(8, 8), 5.5, 5.5);
  painter.setPen(Qt::NoPen), painter.setBrush(color);
  painter.drawPie(QRectF(2.5, 2.5, 11, 11), 90 * 16, 180 * 16);
}

void drawCog(QPainter& painter, const QColor& color) {
  painter.drawEllipse(QPointF(8, 8), 4, 4);
  painter.setPen(QPen(color, 2.2, Qt::SolidLine, Qt::FlatCap));
  for (int tooth = 0; tooth < 8; ++tooth) {
    const double angle = tooth * std::numbers::pi / 4;
    const QPointF out(std::cos(angle), std::sin(angle));
    painter.drawLine(QPointF(8, 8) + 4.2 * out, QPointF(8, 8) + 6.6 * out);
  }
}

}  // namespace

QIcon icon(Glyph glyph, const QColor& color) {
  constexpr int kScale = 4;
  QPixmap pixmap(16 * kScale, 16 * kScale);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.scale(kScale, kScale);
  painter.setPen(QPen(color, 1.4, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  switch (glyph) {
    case Glyph::Dice: drawDice(painter, color); break;
    case Glyph::Reload: drawReload(painter, color); break;
    case Glyph::Theme: drawTheme(painter, color); break;
    case Glyph::Undo: drawUndo(painter, color); break;
    case Glyph::Cog: drawCog(painter, color); break;
  }
  return QIcon(pixmap);
}

}  // namespace quantspot::views
