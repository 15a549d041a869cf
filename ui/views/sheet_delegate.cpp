#include "ui/views/sheet_delegate.h"

#include "ui/models/history_model.h"
#include "ui/views/theme.h"

#include <QPainter>

namespace quantspot::views {
namespace {

using ui::HistoryModel;

QString column(const QModelIndex& index, HistoryModel::Column which) { return index.siblingAtColumn(which).data().toString(); }

void paintPicture(QPainter& painter, QRect area, const QImage& image) {
  painter.fillRect(area, kNeutralGrey);
  if (image.isNull()) return;
  const QSize size = image.size().scaled(area.size() - QSize(16, 16), Qt::KeepAspectRatio);
  const QRect target(area.center() - QPoint(size.width() / 2, size.height() / 2), size);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  painter.drawImage(target, image);
}

void paintText(QPainter& painter, QRect area, const QString& text, const QColor& color, const QString& right = {}) {
  const QFontMetrics metrics = painter.fontMetrics();
  const int kept = right.isEmpty() ? 0 : metrics.horizontalAdvance(right) + 10;
  painter.setPen(color);
  painter.drawText(area, Qt::AlignVCenter | Qt::AlignLeft, metrics.elidedText(text, Qt::ElideRight, area.width() - kept));
  if (!right.isEmpty()) painter.drawText(area, Qt::AlignVCenter | Qt::AlignRight, right);
}

}  // namespace

void SheetDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const Theme& t = theme();
  const QRect card = option.rect.adjusted(0, 0, -1, -1);
  const bool pointed = option.state & (QStyle::State_MouseOver | QStyle::State_Selected);
  painter->save();
  painter->fillRect(card, t.panel);
  paintPicture(*painter, QRect(card.topLeft(), QSize(card.width(), kPicture)), index.data(HistoryModel::ThumbnailRole).value<QImage>());
  painter->setPen(pointed ? t.accent : t.line);
  painter->drawRect(card);
  const QRect text = card.adjusted(10, kPicture + 6, -10, -6);
  const int line = text.height() / 3;
  QFont small = option.font;
  small.setPointSizeF(small.pointSizeF() * 0.88);
  painter->setFont(option.font);
  paintText(*painter, QRect(text.left(), text.top(), text.width(), line), column(index, HistoryModel::Prompt), t.text);
  painter->setFont(small);
  paintText(*painter, QRect(text.left(), text.top() + line, text.width(), line), column(index, HistoryModel::Precisions), t.quiet);
  QString when = column(index, HistoryModel::When);
  for (const QString& tag : index.data(HistoryModel::TagsRole).toStringList()) when += QStringLiteral("  #") + tag;
  paintText(*painter, QRect(text.left(), text.top() + 2 * line, text.width(), line), when, t.quiet,
            index.data(HistoryModel::AnswerRole).toString());
  painter->restore();
}

}  // namespace quantspot::views
