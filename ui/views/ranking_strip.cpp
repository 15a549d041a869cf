#include "ui/views/ranking_strip.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>

namespace quantspot::views {
namespace {

constexpr int kCell = 52;

QListWidgetItem* letterItem(QChar letter) {
  auto* item = new QListWidgetItem(QString(letter));
  item->setTextAlignment(Qt::AlignCenter);
  item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled);
  return item;
}

}  // namespace

RankingStrip::RankingStrip(QWidget* parent) : QWidget(parent), open_(makeList(tr("Pictures to place"))), placed_(makeList(tr("Order, best first"))) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(10);
  layout->addStretch(1);
  layout->addWidget(open_, 4);
  layout->addWidget(new QLabel(tr("drag, or type the letters:  best ›")));
  layout->addWidget(placed_, 4);
  layout->addWidget(new QLabel(tr("‹ worst")));
  layout->addStretch(1);
  for (QListWidget* list : {open_, placed_})
    for (auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
      connect(list->model(), signal, this, &RankingStrip::changed, Qt::QueuedConnection);   // after the drop is complete
}

QListWidget* RankingStrip::makeList(const QString& name) {
  auto* list = new QListWidget;
  list->setFlow(QListView::LeftToRight), list->setWrapping(false), list->setMovement(QListView::Snap);
  list->setDragDropMode(QAbstractItemView::DragDrop), list->setDefaultDropAction(Qt::MoveAction);
  list->setFocusPolicy(Qt::NoFocus);     // the page has the keys
  list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff), list->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  list->setFixedHeight(kCell), list->setMinimumWidth(2 * kCell);
  list->setGridSize(QSize(kCell - 4, kCell - 6));
  list->setAccessibleName(name);
  QFont large = list->font();
  large.setPointSizeF(large.pointSizeF() * 1.4), large.setBold(true);
  list->setFont(large);
  return list;
}

void RankingStrip::setLetters(int count) {
  open_->clear(), placed_->clear();
  for (int i = 0; i < count; ++i) open_->addItem(letterItem(QChar(u'A' + i)));
  for (QListWidget* list : {open_, placed_}) list->setFixedWidth(std::max(2, count) * (kCell - 4) + 8);
}

void RankingStrip::place(QChar letter) {
  for (QListWidget* list : {open_, placed_})
    for (QListWidgetItem* item : list->findItems(QString(letter), Qt::MatchExactly)) {
      delete item;
      placed_->addItem(letterItem(letter));
      return;
    }
}

void RankingStrip::removeLast() {
  if (placed_->count() == 0) return;
  QListWidgetItem* last = placed_->takeItem(placed_->count() - 1);
  open_->addItem(last);
  open_->sortItems();
}

bool RankingStrip::isComplete() const { return open_->count() == 0 && placed_->count() > 0; }

QString RankingStrip::order() const {
  QStringList letters;
  for (int row = 0; row < placed_->count(); ++row) letters << placed_->item(row)->text();
  return letters.join(QLatin1Char(','));
}

}  // namespace quantspot::views
