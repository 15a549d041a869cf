// A window beside the page for one policy: which layer gets which precision, what that costs, and policies under names. Not modal: a
// comparison may run and be answered meanwhile.
#pragma once

#include <QWidget>

class QCheckBox;
class QComboBox;
class QFileDialog;
class QLabel;
class QLineEdit;
class QPushButton;
class QToolButton;

namespace quantspot::ui {
class CompareSession;
class PolicyFilter;
struct NamedPolicy;
}
namespace quantspot::protocol {
struct Recipe;
}

namespace quantspot::views {

class PolicyTable;
class ScanPanel;
class StepBar;

class PolicyEditor : public QWidget {
  Q_OBJECT
 public:
  explicit PolicyEditor(ui::CompareSession* session, QWidget* parent = nullptr);   // session is not owned

  void open(const QString& text);               // shows the window with this policy; empty: the one that was there before
  void setRecipe(const protocol::Recipe& recipe);   // of the page: what a scan draws, how many steps there are
  PolicyTable* table() { return table_; }
  ScanPanel* scanPanel() { return scan_; }
  StepBar* stepBar() { return steps_; }
  QPushButton* measureButton() { return measure_; }
  void importFrom(const QString& file);
  void exportTo(const QString& file);
  QString said() const;                         // the line under the table

 public Q_SLOTS:
  void save();                                  // under the name in its field
  void compare();                               // adds it to the ticked precisions and closes

 Q_SIGNALS:
  void added(const QString& text);              // to the ticked precisions

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* makeTopRow();
  QWidget* makeFilterRow();
  QWidget* makeTextRow();
  QWidget* makeNameRow();
  void connectDraft();
  void connectScan();
  void takeText(const QString& text);           // typed: of the chosen steps, or of all of them
  void addShortcuts();
  void fillPrecisions();
  void fillPolicies();
  void start(int row);
  void refresh();
  void refreshSummary();
  void greyPrecisions();                        // that no selected layer can have
  void tell(const QString& line, bool problem);
  void askForFile(bool saving);
  ui::NamedPolicy namedPolicy() const;

  ui::CompareSession* session_;
  ui::PolicyFilter* filter_;
  PolicyTable* table_;
  ScanPanel* scan_;
  StepBar* steps_;
  QComboBox *start_, *base_, *encoders_, *softmax_, *selected_;
  QCheckBox *encodersToo_, *decoder_, *everything_;
  QLineEdit *pattern_, *text_, *name_;
  QLabel *selection_, *sentence_, *share_, *note_;
  QToolButton *copy_, *undo_, *forget_;
  QPushButton *save_, *compare_, *measure_;
  QString loaded_;                              // text of the policy that was started from
};

}  // namespace quantspot::views
