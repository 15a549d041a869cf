// Thresholds as the header row, where they are edited, and what each precision makes of them.
#pragma once

#include "evaluation/thresholds.h"

#include <QTableWidget>

namespace quantspot::views {

class ThresholdTable : public QTableWidget {
  Q_OBJECT
 public:
  explicit ThresholdTable(QWidget* parent = nullptr);

  void setThresholds(const std::vector<evaluation::Threshold>& thresholds);
  const std::vector<evaluation::Threshold>& thresholds() const { return thresholds_; }
  // How what stands in for real weights is called, by figure.
  void setLabels(const evaluation::Labels& labels);
  // report.json: its precisions but the baseline, a row each; null: none.
  void setReport(const nlohmann::json& report);

 Q_SIGNALS:
  void edited(const std::vector<evaluation::Threshold>& thresholds);
  void explained(const QString& sentence);   // of the cell that is current

 private:
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void colour();
  void makeEditor(int column);
  void fitHeight();
  void nameColumns();
  void fill();

  std::vector<evaluation::Threshold> thresholds_;
  evaluation::Labels labels_;
  nlohmann::json judged_ = nlohmann::json::array();
  QStringList precisions_;
};

}  // namespace quantspot::views
