// What ImageGrid draws.
#include "ui/views/image_grid.h"

#include "ui/views/image_difference.h"
#include "ui/views/theme.h"

#include <QPainter>

namespace quantspot::views {
namespace {

void outline(QPainter& painter, QRectF area, const QColor& color, Qt::PenStyle style = Qt::SolidLine) {
  painter.setPen(QPen(color, 2, style, Qt::SquareCap, Qt::MiterJoin));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(area.adjusted(-3, -3, 3, 3));
}

}  // namespace

void ImageGrid::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), kNeutralGrey);
  if (images_.empty()) paintHint(painter);
  else if (mode_ == Mode::Grid) paintGrid(painter);
  else paintLarge(painter);
  if (!legend().isEmpty()) paintLegend(painter);
}

// A line at the bottom: the colours, and what they mean.
void ImageGrid::paintLegend(QPainter& painter) {
  constexpr int kHeight = 26, kScale = 120, kGap = 10;
  const int text = painter.fontMetrics().horizontalAdvance(legend()), scale = comparing_ == Comparing::HeatMap ? kScale + kGap : 0;
  const QRect band((width() - text - scale - 2 * kGap) / 2, height() - kHeight, text + scale + 2 * kGap, kHeight);
  painter.fillRect(band, QColor(0, 0, 0, 215));
  for (int x = 0; x < scale - kGap; ++x)
    painter.fillRect(band.left() + kGap + x, band.top() + 8, 1, kHeight - 16, heatColor(double(x) / (kScale - 1)));
  painter.setPen(Qt::white);
  painter.drawText(band.adjusted(kGap + scale, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, legend());
}

void ImageGrid::paintHint(QPainter& painter) {
  painter.setPen(Qt::black);                  // 4.7 : 1 on the grey; white has 4.48
  QFont font = painter.font();
  font.setPointSizeF(font.pointSizeF() * 1.15);
  painter.setFont(font);
  painter.drawText(rect().adjusted(40, 40, -40, -40), Qt::AlignCenter | Qt::TextWordWrap, hint_);
}

void ImageGrid::paintGrid(QPainter& painter) {
  const auto all = tiles();
  for (int i = 0; i < count(); ++i) {
    transform_.paint(painter, shown(i), all[i].image);
    paintCaption(painter, all[i].caption, letterOf(i), captions_[i], turned(i), i == armed_);
    if (i == armed_ || i == dropTarget_ || i == marked_) outline(painter, all[i].image, Qt::white);
    else if (i == half_) outline(painter, all[i].image, Qt::white, Qt::DashLine);
  }
}

void ImageGrid::paintLargeTile(QPainter& painter, int tile, QRectF area, bool captionRight) {
  transform_.paint(painter, shown(tile), area);
  const QRectF image = transform_.placed(imageSize(), area) & area;
  QRectF caption(image.left(), area.top() - 34, image.width(), 34);
  if (captionRight) caption.setLeft(std::max(image.center().x(), image.right() - 160));
  paintCaption(painter, caption, letterOf(tile), captions_[tile], turned(tile), tile == armed_);
  if (tile == dropTarget_) outline(painter, image, Qt::white);
}

void ImageGrid::paintLarge(QPainter& painter) {
  const auto areas = largeAreas();
  if (mode_ == Mode::Single) return paintLargeTile(painter, pair_[0], areas[0]);
  if (mode_ == Mode::Cycle) return paintLargeTile(painter, std::min(side_, count() - 1), areas[0]);
  if (mode_ == Mode::Flicker) return paintLargeTile(painter, pair_[side_], areas[0]);
  if (mode_ == Mode::Pair) return paintLargeTile(painter, pair_[0], areas[0]), paintLargeTile(painter, pair_[1], areas[1]);

  const double at = std::round(areas[0].left() + slider_ * areas[0].width());
  painter.save();
  painter.setClipRect(QRectF(0, 0, at, height()));
  paintLargeTile(painter, pair_[0], areas[0]);
  painter.setClipRect(QRectF(at, 0, width() - at, height()));
  paintLargeTile(painter, pair_[1], areas[0], true);
  painter.restore();
  painter.fillRect(QRectF(at - 1, areas[0].top(), 2, areas[0].height()), Qt::white);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen), painter.setBrush(Qt::white);
  painter.drawEllipse(QPointF(at, areas[0].center().y()), 7, 7);
}

}  // namespace quantspot::views
