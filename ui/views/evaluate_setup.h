// What is to be evaluated: model, prompts, seeds, precisions, where it is kept and who draws it.
#pragma once

#include "ui/models/evaluation_run.h"

#include <QFrame>

class QComboBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

class MeasureDialog;

class EvaluateSetup : public QFrame {
  Q_OBJECT
 public:
  explicit EvaluateSetup(ui::CompareSession* session, QWidget* parent = nullptr);   // not owned

  // Throws std::runtime_error with what is missing or wrong.
  ui::EvaluationRequest request() const;
  void setRequest(const ui::EvaluationRequest& request);
  void setFolder(const QString& folder);
  QString folder() const;
  // A line each; empty lines left out.
  std::vector<ui::EngineCommand> engines() const;
  QString engineLines() const;
  void setEngineLines(const QString& lines);

  // The metrics that the engine offers for the model, the size and all else that is measured.
  MeasureDialog* measure() { return measure_; }
  void setOffers(const std::vector<evaluation::Metric>& offered);
  QString model() const;
  void showState(ui::EvaluationRun::State state, const QString& estimate);
  void showProblem(const QString& text);
  // Reads a file of prompts; false with a problem shown.
  bool loadPrompts(const QString& path);
  QPushButton* mainButton() { return main_; }
  QPushButton* estimateButton() { return estimate_; }
  QLineEdit* seedsEdit() { return seeds_; }
  QListWidget* precisionList() { return precisions_; }

 Q_SIGNALS:
  void mainPressed();                    // Start, Pause or Resume, as it says
  void estimatePressed();
  void edited();                         // what is open is no longer what is asked for
  void modelChosen();

 private:
  void layOut();
  void fillModels();
  void fillPrecisions();
  void choosePrompts(int index);
  void chooseFolder();
  void describePrompts();
  void describeMeasures();

  ui::CompareSession* session_;
  evaluation::PromptSet prompts_;
  QComboBox *model_, *set_;
  QLabel *promptsText_, *estimateText_, *problem_;
  QLineEdit *seeds_, *folder_;
  QSpinBox *steps_, *width_, *height_;
  QListWidget* precisions_;
  QPlainTextEdit* engines_;
  MeasureDialog* measure_;
  std::vector<evaluation::Metric> offered_;
  QPushButton *measured_, *main_, *estimate_;
};

}  // namespace quantspot::views
