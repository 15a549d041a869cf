#include "ui/views/policy_table.h"

#include "ui/models/policy_filter.h"
#include "ui/models/policy_layers.h"
#include "ui/views/theme.h"

#include <QComboBox>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QStandardItemModel>
#include <QTimer>

namespace quantspot::views {
namespace {

using Layers = ui::PolicyLayersModel;
constexpr int kRowHeight = 26, kMargin = 8, kDot = 8;

}  // namespace

PolicyTable::PolicyTable(Layers* layers, ui::PolicyFilter* filter, QWidget* parent) : QTableView(parent), layers_(layers), filter_(filter) {
  filter_->setSourceModel(layers);
  setModel(filter_);
  setItemDelegateForColumn(Layers::Precision, new PrecisionCell(this));
  setAccessibleName(QStringLiteral("Layers"));
  setSelectionBehavior(SelectRows), setSelectionMode(ExtendedSelection);
  setEditTriggers(EditKeyPressed), setTabKeyNavigation(false);
  setShowGrid(false), setWordWrap(false), setTextElideMode(Qt::ElideMiddle), setCornerButtonEnabled(false);
  setVerticalScrollMode(ScrollPerPixel);
  verticalHeader()->hide();
  verticalHeader()->setDefaultSectionSize(kRowHeight);
  QHeaderView* header = horizontalHeader();
  header->setHighlightSections(false);
  header->setSectionResizeMode(QHeaderView::Interactive);
  header->setSectionResizeMode(Layers::Name, QHeaderView::Stretch);
  const int widths[] = {108, 0, 108, 76, 196, 84, 84, 84};
  setColumnHidden(Layers::Error, true);
  for (int column = 0; column < Layers::ColumnCount; ++column)
    if (widths[column] > 0) setColumnWidth(column, widths[column]);
  connect(this, &QTableView::clicked, this, [this](const QModelIndex& index) {
    const bool extends = QGuiApplication::keyboardModifiers() & (Qt::ShiftModifier | Qt::ControlModifier);
    if (index.column() == Layers::Precision && !extends) edit(index, AllEditTriggers, nullptr);
  });
}

int PolicyTable::layerAt(const QModelIndex& index) const { return filter_->mapToSource(index).row(); }

QList<int> PolicyTable::selectedLayers() const {
  QList<int> rows;
  for (const QModelIndex& index : selectionModel()->selectedRows()) rows << filter_->mapToSource(index).row();
  return rows;
}

void PolicyTable::selectLayers(const QStringList& names) {
  QItemSelection rows;
  for (int row = 0; row < filter_->rowCount(); ++row)
    if (names.contains(filter_->index(row, 0).data(Layers::NameRole).toString()))
      rows.select(filter_->index(row, 0), filter_->index(row, Layers::ColumnCount - 1));
  selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect);
  if (!rows.isEmpty()) scrollTo(rows.first().topLeft(), PositionAtCenter);
}

void PolicyTable::choose(const QString& precision) {
  if (const QList<int> rows = selectedLayers(); !rows.isEmpty()) Q_EMIT chosen(rows, precision);
}

void PolicyTable::chooseAt(const QModelIndex& index, const QString& precision) {
  if (selectionModel()->isRowSelected(index.row())) choose(precision);
  else Q_EMIT chosen({filter_->mapToSource(index).row()}, precision);
}

bool PolicyTable::edit(const QModelIndex& index, EditTrigger trigger, QEvent* event) {
  return QTableView::edit(index.isValid() ? index.siblingAtColumn(Layers::Precision) : index, trigger, event);
}

// A press on the combo of a selected row keeps the others selected: the choice is for all of them.
QItemSelectionModel::SelectionFlags PolicyTable::selectionCommand(const QModelIndex& index, const QEvent* event) const {
  const bool press = event && (event->type() == QEvent::MouseButtonPress || event->type() == QEvent::MouseButtonRelease);
  const bool plain = press && static_cast<const QMouseEvent*>(event)->modifiers() == Qt::NoModifier;
  if (plain && index.column() == Layers::Precision && selectionModel()->isRowSelected(index.row())) return QItemSelectionModel::NoUpdate;
  return QTableView::selectionCommand(index, event);
}

void PolicyTable::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) {
  QTableView::selectionChanged(selected, deselected);
  Q_EMIT selectionMade();
}

void PolicyTable::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::ShiftModifier | Qt::AltModifier));
  const bool opens = key == Qt::Key_Return || key == Qt::Key_Enter || key == Qt::Key_Space;
  if (plain && opens && currentIndex().isValid()) edit(currentIndex(), AllEditTriggers, event);
  else QTableView::keyPressEvent(event);
}

QString cannotHold(const ui::PolicyLayersModel& layers, int row, const QString& precision) {
  return QStringLiteral("%1 cannot hold %2: the layer would be %3").arg(layers.label(precision),
      ui::shapeText(layers.layers().at(static_cast<std::size_t>(row)).shape),
         layers.label(layers.instead(row, precision)));
}

PrecisionCell::PrecisionCell(PolicyTable* table) : QStyledItemDelegate(table), table_(table) {}

void PrecisionCell::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  QStyleOptionViewItem ground = option;
  initStyleOption(&ground, index);
  ground.text.clear();
  table_->style()->drawControl(QStyle::CE_ItemViewItem, &ground, painter, table_);
  const bool editable = index.flags() & Qt::ItemIsEditable, selected = option.state & QStyle::State_Selected;
  const QColor ink = selected ? theme().onAccent : editable ? theme().text : theme().quiet;
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  const QRectF cell = QRectF(option.rect).adjusted(kMargin, 0, -kMargin, 0);
  painter->setPen(selected ? QPen(ink, 1) : QPen(Qt::NoPen)), painter->setBrush(precisionColor(index.data(Layers::PrecisionRole).toString()));
  if (editable) painter->drawEllipse(QRectF(cell.left(), cell.center().y() - kDot / 2.0 + 0.5, kDot, kDot));
  QFont font = option.font;
  font.setBold(index.data(Layers::ChangedRole).toBool());
  painter->setFont(font), painter->setPen(ink);
  const QRectF text = cell.adjusted(kDot + 8, 0, -14, 0);
  const QString label = QFontMetrics(font).elidedText(index.data().toString(), Qt::ElideRight, int(text.width()));
  painter->drawText(text, Qt::AlignVCenter | Qt::AlignLeft, label);
  const QPointF tip(cell.right() - 4, cell.center().y() + 2.5);
  painter->setPen(QPen(selected ? ink : theme().quiet, 1.3));
  if (editable) painter->drawPolyline(QPolygonF{tip + QPointF(-4, -4), tip, tip + QPointF(4, -4)});
  painter->restore();
}

QWidget* PrecisionCell::createEditor(QWidget* parent, const QStyleOptionViewItem&, const QModelIndex& index) const {
  auto* combo = new QComboBox(parent);
  combo->setMaxVisibleItems(26);
  const int layer = table_->layerAt(index);
  for (const auto& [id, label] : table_->choices()) {
    combo->addItem(label, id);
    const bool held = table_->layers().instead(layer, id).isEmpty();
    combo->setItemData(combo->count() - 1, held ? id : cannotHold(table_->layers(), layer, id), Qt::ToolTipRole);
    if (auto* items = qobject_cast<QStandardItemModel*>(combo->model()); items && !held) items->item(combo->count() - 1)->setEnabled(false);
  }
  connect(combo, &QComboBox::activated, this, [this, combo] {
    combo->setProperty("picked", true);
    auto* self = const_cast<PrecisionCell*>(this);
    Q_EMIT self->commitData(combo);
    Q_EMIT self->closeEditor(combo);
  });
  QTimer::singleShot(0, combo, &QComboBox::showPopup);
  return combo;
}

void PrecisionCell::setEditorData(QWidget* editor, const QModelIndex& index) const {
  auto* combo = static_cast<QComboBox*>(editor);
  const bool changed = index.data(Layers::ChangedRole).toBool();
  combo->setCurrentIndex(std::max(0, changed ? combo->findData(index.data(Layers::PrecisionRole)) : 0));
}

// Only a choice counts: leaving the combo by another way must not turn all selected rows into what one of them is.
void PrecisionCell::setModelData(QWidget* editor, QAbstractItemModel*, const QModelIndex& index) const {
  const auto* combo = static_cast<QComboBox*>(editor);
  if (combo->property("picked").toBool()) table_->chooseAt(index, combo->currentData().toString());
}

}  // namespace quantspot::views
