#include "ui/views/matrix_delegate.h"

#include "ui/models/evaluation_matrix.h"
#include "ui/views/theme.h"

#include <QImage>
#include <QPainter>

namespace quantspot::views {

void MatrixDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  constexpr int kPad = 5;
  painter->save();
  painter->fillRect(option.rect, option.state & QStyle::State_Selected ? theme().field : theme().panel);
  QRect rest = option.rect.adjusted(kPad, kPad, -kPad, -kPad);
  const int state = index.data(ui::EvaluationMatrix::StateRole).toInt();
  if (const QImage image = index.data(Qt::DecorationRole).value<QImage>(); !image.isNull()) {
    const QSize size = image.size().scaled(rest.height(), rest.height(), Qt::KeepAspectRatio);
    painter->setRenderHint(QPainter::SmoothPixmapTransform);
    painter->drawImage(QRect(rest.topLeft(), size), image);
    rest.setLeft(rest.left() + rest.height() + 6);
  }
  painter->setPen(state == ui::EvaluationMatrix::Failed ? theme().wrong : state == ui::EvaluationMatrix::Finished ? theme().text : theme().quiet);
  const QString text = state == ui::EvaluationMatrix::Waiting ? QStringLiteral("·") : index.data().toString();
  painter->drawText(rest, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextWordWrap, text);
  painter->restore();
}

}  // namespace quantspot::views
