// Metric weights: what there is, what it enables, what of it is here, and a button that brings one. Not modal; closing it does not stop a download.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;
class QTableWidget;

namespace quantspot::ui {
class MetricWeights;
}

namespace quantspot::views {

class WeightsDialog : public QWidget {
  Q_OBJECT
 public:
  explicit WeightsDialog(ui::MetricWeights* weights, QWidget* parent = nullptr);   // not owned

  void open();
  QTableWidget* table() { return table_; }
  QPushButton* downloadButton(int row);           // null where the weights are here
  QPushButton* cancelButton() { return cancel_; }
  QString said() const;                           // the line under the table

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void fill();
  void refresh();
  void tell(const QString& line, bool problem);

  ui::MetricWeights* weights_;
  QTableWidget* table_;
  QLabel *note_, *status_;
  QProgressBar* progress_;
  QPushButton* cancel_;
};

}  // namespace quantspot::views
