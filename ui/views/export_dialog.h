// Writes a precision as files to deploy: what comes, where to, how much room there is, how far it is, and the Python text that uses it. Not modal;
// closing it does not stop an export.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;

namespace quantspot::ui {
class DecisionModel;
}

namespace quantspot::views {

class ExportDialog : public QWidget {
  Q_OBJECT
 public:
  explicit ExportDialog(ui::DecisionModel* model, QWidget* parent = nullptr);   // not owned

  void open(const QString& precision);
  void setPlace(const QString& folder) { place_ = folder; }   // exports are offered below it
  QLineEdit* out() { return out_; }
  QPushButton* startButton() { return start_; }
  QPushButton* cancelButton() { return cancel_; }
  QPushButton* showButton() { return show_; }      // opens the folder that was written
  QPlainTextEdit* python() { return python_; }
  QString room() const;                            // "needs about 0.4 GiB; 41 GiB are free there"
  QString said() const;

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void layOut();
  void start();
  void refresh();
  void showPython();
  void tell(const QString& line, bool problem);

  ui::DecisionModel* model_;
  QString precision_, place_, written_;
  QLabel *what_, *room_, *said_;
  QLineEdit* out_;
  QPlainTextEdit* python_;
  QProgressBar* progress_;
  QPushButton *browse_, *copy_, *start_, *cancel_, *show_;
};

}  // namespace quantspot::views
