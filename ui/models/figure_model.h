// The figures of an evaluation as a table: a row per precision, a column per figure that was measured, with interval and number.
#pragma once

#include <nlohmann/json.hpp>

#include <QAbstractTableModel>

namespace quantspot::ui {

class FigureModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  // CautionRole: why the figure must not be trusted (then it is shown greyed); nothing where it may. PrecisionRole: its id.
  enum Role { CautionRole = Qt::UserRole, PrecisionRole };

  using QAbstractTableModel::QAbstractTableModel;

  void setReport(const nlohmann::json& report);      // report.json; null: empty
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
  int columnOf(const char* figure) const;            // −1: not measured

 private:
  struct Cell { QString text, tip, caution; };
  std::vector<std::string> precisions_, figures_;
  std::vector<QString> labels_, tips_;
  std::vector<std::vector<Cell>> cells_;
};

}  // namespace quantspot::ui
