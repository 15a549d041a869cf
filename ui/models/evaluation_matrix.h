// The cells of an evaluation as a table: a row per prompt and seed, a column per precision.
#pragma once

#include "ui/models/evaluation_run.h"

#include <QAbstractTableModel>
#include <QImage>

namespace quantspot::ui {

class EvaluationMatrix : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Role { StateRole = Qt::UserRole, PrecisionRole, SeedRole };   // Qt::DecorationRole: the picture; Qt::ToolTipRole: its figures
  enum CellState { Waiting, Drawing, Finished, Failed };

  explicit EvaluationMatrix(EvaluationRun* run, QObject* parent = nullptr);   // not owned

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

  std::size_t prompt(int row) const;
  std::size_t seed(int row) const;
  // Pictures of a row, null where there is none, with what the tool tip says.
  struct Picture { QString precision, text; QImage image; };
  std::vector<Picture> pictures(int row) const;

 private:
  struct Entry { bool known = false; QImage image; QString text, tip; };
  const evaluation::Cell* cell(const QModelIndex& index) const;
  Entry& entry(const QModelIndex& index) const;      // looked up when it is seen
  void reset();
  void onCell(int prompt, int seed, int precision);

  EvaluationRun* run_;
  mutable std::vector<Entry> entries_;
};

}  // namespace quantspot::ui
