// The layers of a model, each with its precision as a combo. A choice in one of several selected rows is for all of them.
#pragma once

#include <QStyledItemDelegate>
#include <QTableView>

namespace quantspot::ui {
class PolicyFilter;
class PolicyLayersModel;
}

namespace quantspot::views {

// Ids and labels of the choices; the first, with an empty id, is the base's own.
using PrecisionChoices = QList<QPair<QString, QString>>;

class PolicyTable : public QTableView {
  Q_OBJECT
 public:
  PolicyTable(ui::PolicyLayersModel* layers, ui::PolicyFilter* filter, QWidget* parent = nullptr);   // neither is owned

  void setChoices(PrecisionChoices choices) { choices_ = std::move(choices); }
  const PrecisionChoices& choices() const { return choices_; }
  const ui::PolicyLayersModel& layers() const { return *layers_; }
  int layerAt(const QModelIndex& index) const;     // row of the layers
  QList<int> selectedLayers() const;              // rows of the layers, not of the filter
  void selectLayers(const QStringList& names);    // those that are shown
  void choose(const QString& precision);          // for the selected rows
  void chooseAt(const QModelIndex& index, const QString& precision);   // for this row, and all selected ones when it is among them

 Q_SIGNALS:
  void chosen(const QList<int>& rows, const QString& precision);
  void selectionMade();

 protected:
  bool edit(const QModelIndex& index, EditTrigger trigger, QEvent* event) override;         // whichever column is current
  QItemSelectionModel::SelectionFlags selectionCommand(const QModelIndex& index, const QEvent* event) const override;
  void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;
  void keyPressEvent(QKeyEvent* event) override;  // Enter and Space open the combo

 private:
  ui::PolicyLayersModel* layers_;
  ui::PolicyFilter* filter_;
  PrecisionChoices choices_;
};

// "GGUF Q4_K cannot hold 256 × 100: the layer would be BF16"
QString cannotHold(const ui::PolicyLayersModel& layers, int row, const QString& precision);

// Paints a cell of the precision column and lends the combo.
class PrecisionCell : public QStyledItemDelegate {
  Q_OBJECT
 public:
  explicit PrecisionCell(PolicyTable* table);
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  void setEditorData(QWidget* editor, const QModelIndex& index) const override;
  void setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const override;

 private:
  PolicyTable* table_;
};

}  // namespace quantspot::views
