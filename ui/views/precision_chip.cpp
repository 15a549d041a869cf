#include "ui/views/precision_chip.h"

#include "ui/models/precision_names.h"
#include "ui/views/image_grid.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QDrag>
#include <QMimeData>
#include <QMouseEvent>
#include <QPainter>

namespace quantspot::views {

PrecisionChip::PrecisionChip(int number, const QString& precision, QWidget* parent) : QWidget(parent), number_(number), precision_(precision) {
  setCursor(Qt::OpenHandCursor);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setAccessibleName(precision);
  const QString tip = QStringLiteral("Drag onto a tile, or press the tile's letter and then %1").arg(number);
  setToolTip(ui::shortName(precision) == precision ? tip : precision + u'\n' + tip);
}

void PrecisionChip::setUsed(bool used) { used_ = used, update(); }

void PrecisionChip::paintEvent(QPaintEvent*) {
  const Theme& t = theme();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
  painter.setPen(t.line), painter.setBrush(used_ ? t.panel : t.field);
  painter.drawRoundedRect(box, 4, 4);
  painter.setPen(t.quiet);
  painter.drawText(box.adjusted(10, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, QString::number(number_));
  painter.setPen(used_ ? t.quiet : t.text);
  const QRectF text = box.adjusted(30, 0, -6, 0);
  painter.drawText(text, Qt::AlignVCenter | Qt::AlignLeft, fontMetrics().elidedText(ui::shortName(precision_), Qt::ElideMiddle, int(text.width())));
}

void PrecisionChip::mousePressEvent(QMouseEvent* event) { start_ = event->pos(), pressed_ = true; }

void PrecisionChip::mouseMoveEvent(QMouseEvent* event) {
  if (!pressed_ || (event->pos() - start_).manhattanLength() < QApplication::startDragDistance()) return;
  pressed_ = false;
  auto* drag = new QDrag(this);
  auto* mime = new QMimeData;
  mime->setData(QString::fromLatin1(kChipMimeType), precision_.toUtf8());
  drag->setMimeData(mime);
  drag->setPixmap(grab());
  drag->setHotSpot(start_);
  drag->exec(Qt::CopyAction);
}

void PrecisionChip::mouseReleaseEvent(QMouseEvent*) {
  if (pressed_) Q_EMIT clicked();
  pressed_ = false;
}

}  // namespace quantspot::views
