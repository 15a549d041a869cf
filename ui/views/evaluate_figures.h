// Every figure of an evaluation with interval and number, and what stands in for real weights.
#pragma once

#include "ui/models/figure_model.h"

#include <QWidget>

class QLabel;
class QTableView;

namespace quantspot::views {

class EvaluateFigures : public QWidget {
  Q_OBJECT
 public:
  explicit EvaluateFigures(QWidget* parent = nullptr);

  void setReport(const nlohmann::json& report);      // null: empty
  void setLacking(const QString& text);              // empty: nothing is lacking
  ui::FigureModel* model() { return &model_; }
  QTableView* table() { return table_; }
  QLabel* notice() { return notice_; }

 Q_SIGNALS:
  void weightsPressed();

 private:
  ui::FigureModel model_;
  QTableView* table_;
  QLabel *notice_, *note_;
};

}  // namespace quantspot::views
