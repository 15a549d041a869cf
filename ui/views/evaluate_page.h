// The Evaluate page: set up on the left, thresholds above, the matrix that fills and the charts below each other's tabs. Wiring only.
#pragma once

#include "ui/models/evaluation_matrix.h"
#include "ui/models/evaluation_run.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QTabWidget;
class QTableView;
class QToolButton;

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

class EvaluateCharts;
class EvaluateFigures;
class EvaluatePictures;
class EvaluateSetup;
class ThresholdTable;
class WeightsDialog;

class EvaluatePage : public QWidget {
  Q_OBJECT
 public:
  EvaluatePage(ui::CompareSession* session, ui::EngineClient* engine, QWidget* parent = nullptr);   // not owned

  // Where folder and engines are remembered (INI), and where evaluations lie by default. What was last open is opened again when the page is first
  // shown: its finished pictures are there.
  void setSettings(const QString& file);
  void takeFocus();

  ui::EvaluationRun* run() { return &run_; }
  EvaluateSetup* setup() { return setup_; }
  ThresholdTable* thresholds() { return thresholds_; }
  EvaluateCharts* charts() { return charts_; }
  EvaluateFigures* figures() { return figures_; }
  WeightsDialog* weights() { return weights_; }   // null before it was opened
  EvaluatePictures* pictures() { return pictures_; }
  QTableView* matrix() { return table_; }
  QString explanation() const;
  // Writes into the folder of the evaluation, and says where. kind: "html", "pdf", "csv".
  bool exportTo(const QString& kind, const QString& path);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  enum class Then { Nothing, Start, Estimate };

  void layOut();
  QWidget* makeFooter();
  QToolButton* exportButton(const QString& text, const QString& kind);
  void connectRun();
  void onMain();
  void openThen(Then then);
  void onOpened();
  void refresh();
  void takeRatings();                    // of the Compare page
  void askExport(const QString& kind);
  void remember();
  void askOffers();                      // what can be measured, with what is here now
  void openWeights();

  ui::EvaluationRun run_;
  ui::EvaluationMatrix model_;
  EvaluateSetup* setup_;
  ThresholdTable* thresholds_;
  QLabel *explanation_, *status_, *empty_;
  QTableView* table_;
  ui::CompareSession* session_;
  ui::EngineClient* engine_;
  EvaluateCharts* charts_;
  EvaluateFigures* figures_;
  WeightsDialog* weights_ = nullptr;
  EvaluatePictures* pictures_;
  QTabWidget* tabs_;
  QProgressBar* progress_;
  std::vector<QToolButton*> exports_;
  QString settings_;
  Then then_ = Then::Nothing;
  bool stale_ = true, remembered_ = false;   // stale_: what is open is not what the form says
};

}  // namespace quantspot::views
