#include "ui/views/precision_delegate.h"

#include "ui/models/precision_list_model.h"
#include "ui/views/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

namespace quantspot::views {
namespace {
constexpr int kHeight = 28, kRight = 10;   // right: clear of the scroll bar

void paintTick(QPainter& painter, QRectF box, bool checked) {
  const Theme& t = theme();
  painter.setPen(QPen(checked ? t.accent : t.quiet, 1.2));
  painter.setBrush(checked ? t.accent : t.field);
  painter.drawRoundedRect(box, 3, 3);
  if (!checked) return;
  painter.setPen(QPen(t.onAccent, 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.drawPolyline(QPolygonF{box.center() + QPointF(-3.2, 0.2), box.center() + QPointF(-0.8, 2.7), box.center() + QPointF(3.4, -2.5)});
}

// Policies by the name that they were given.
QString nameOf(const QModelIndex& index) {
  const bool policy = index.data(ui::PrecisionListModel::IsPolicyRole).toBool();
  return index.data(policy ? int(Qt::DisplayRole) : int(ui::PrecisionListModel::IdRole)).toString();
}

}  // namespace

QSize PrecisionDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const { return {160, kHeight}; }

void PrecisionDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const Theme& t = theme();
  const QRectF row = option.rect;
  const bool enabled = option.state & QStyle::State_Enabled;
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  if (option.state & (QStyle::State_MouseOver | QStyle::State_HasFocus)) painter->fillRect(row, t.window);
  paintTick(*painter, QRectF(row.left() + 2, row.center().y() - 7, 14, 14), index.data(Qt::CheckStateRole).toInt() == Qt::Checked);
  const QString size = index.data(ui::PrecisionListModel::BytesTextRole).toString();
  const qreal sizeWidth = size.isEmpty() ? 0 : option.fontMetrics.horizontalAdvance(size) + 8;
  const QRectF text = row.adjusted(26, 0, -kRight, 0);
  painter->setPen(enabled ? t.text : t.quiet);
  painter->drawText(text.adjusted(0, 0, -sizeWidth, 0), Qt::AlignVCenter | Qt::AlignLeft,
                    option.fontMetrics.elidedText(nameOf(index), Qt::ElideMiddle, int(text.width() - sizeWidth)));
  painter->setPen(t.quiet);
  painter->drawText(text, Qt::AlignVCenter | Qt::AlignRight, size);
  painter->restore();
}

bool PrecisionDelegate::editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem&, const QModelIndex& index) {
  const bool clicked = event->type() == QEvent::MouseButtonRelease && static_cast<QMouseEvent*>(event)->button() == Qt::LeftButton;
  const bool pressed = event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Space;
  if (!clicked && !pressed) return false;
  const bool checked = index.data(Qt::CheckStateRole).toInt() == Qt::Checked;
  return model->setData(index, checked ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
}

}  // namespace quantspot::views
