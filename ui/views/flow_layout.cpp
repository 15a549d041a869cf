#include "ui/views/flow_layout.h"

#include <algorithm>

namespace quantspot::views {

FlowLayout::FlowLayout(int gap, QWidget* parent) : QLayout(parent), gap_(gap) { setContentsMargins(0, 0, 0, 0); }

FlowLayout::~FlowLayout() { qDeleteAll(items_); }

QSize FlowLayout::minimumSize() const {
  QSize least;
  for (const QLayoutItem* item : items_) least = least.expandedTo(item->minimumSize());
  return least;
}

QSize FlowLayout::sizeHint() const {
  QSize row(0, 0);
  for (const QLayoutItem* item : items_) row = QSize(row.width() + item->sizeHint().width() + gap_, std::max(row.height(), item->sizeHint().height()));
  return row - QSize(items_.isEmpty() ? 0 : gap_, 0);
}

void FlowLayout::setGeometry(const QRect& area) {
  QLayout::setGeometry(area);
  place(area, true);
}

int FlowLayout::place(QRect area, bool really) const {
  int top = area.top();
  for (qsizetype first = 0; first < items_.size();) {
    int width = 0, height = 0;
    qsizetype next = first;
    for (; next < items_.size(); ++next) {
      const QSize size = items_[next]->sizeHint();
      const int wider = width + (next > first ? gap_ : 0) + size.width();
      if (next > first && wider > area.width()) break;
      width = wider, height = std::max(height, size.height());
    }
    int left = area.left() + std::max(0, (area.width() - width) / 2);
    for (; really && first < next; ++first) {
      const QSize size = items_[first]->sizeHint();
      items_[first]->setGeometry(QRect(QPoint(left, top + (height - size.height()) / 2), QSize(std::min(size.width(), area.width()), size.height())));
      left += size.width() + gap_;
    }
    first = next;
    top += height + gap_;
  }
  return std::max(0, top - area.top() - gap_);
}

}  // namespace quantspot::views
