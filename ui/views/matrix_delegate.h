// A cell of the evaluation's matrix: the picture, small, and its first figure.
#pragma once

#include <QStyledItemDelegate>

namespace quantspot::views {

class MatrixDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  static constexpr int kHeight = 58, kWidth = 150;

  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace quantspot::views
