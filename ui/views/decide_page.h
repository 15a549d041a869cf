// Which precision to deploy: the sentence, what was asked, the ranked precisions, the path, and what to do with the answer.
#pragma once

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QPushButton;
class QTableView;

namespace quantspot::ui {
class CompareSession;
class DecisionModel;
}

namespace quantspot::views {

class DecisionPath;
class LimitSlider;

class DecidePage : public QWidget {
  Q_OBJECT
 public:
  explicit DecidePage(ui::DecisionModel* model, QWidget* parent = nullptr);   // not owned

  ui::DecisionModel* model() { return model_; }
  LimitSlider* memory() { return memory_; }
  LimitSlider* time() { return time_; }
  LimitSlider* visibility() { return visibility_; }
  QComboBox* hardware() { return hardware_; }
  QTableView* table() { return table_; }
  DecisionPath* path() { return path_; }
  QString sentence() const;
  QString notes() const;                   // what would change the answer, what is not known, the evidence

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  QWidget* makeTop();
  QWidget* makeAsked();
  QWidget* makeEnd();
  void makeTable();
  void listHardware();
  void refresh();
  void copyPython();
  void exportPicked();
  QString picked() const;                  // the selected precision, else the chosen one
  void refreshButtons();
  void chooseEvidence();

  ui::DecisionModel* model_;
  QLabel *sentence_, *notes_, *said_;
  QComboBox* hardware_;
  LimitSlider *memory_, *time_, *visibility_;
  QCheckBox* offload_;
  QTableView* table_;
  DecisionPath* path_;
  QPushButton *python_, *diffusers_, *gguf_;
};

}  // namespace quantspot::views
