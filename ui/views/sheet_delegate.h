// One contact sheet of the history: pictures, prompt, precisions, and how the guess went.
#pragma once

#include <QStyledItemDelegate>

namespace quantspot::views {

class SheetDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  static constexpr int kWidth = 250, kPicture = 170, kText = 66;

  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {kWidth, kPicture + kText}; }
};

}  // namespace quantspot::views
