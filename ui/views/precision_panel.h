// Which precisions to compare, what they need, and the button that starts.
#pragma once

#include <QFrame>

class QLabel;
class QLineEdit;
class QListView;
class QPushButton;
class QToolButton;

namespace quantspot::ui {
class PrecisionListModel;
}

namespace quantspot::views {

class PrecisionPanel : public QFrame {
  Q_OBJECT
 public:
  explicit PrecisionPanel(ui::PrecisionListModel* model, QWidget* parent = nullptr);   // model is not owned

  void setProblem(const QString& problem);          // why Generate is off; empty: it is on
  void setBusy(bool busy);
  void setMain(bool main);                          // whether Generate is the page's main button
  void setEstimate(const QString& text);
  void clearFailures();
  void addFailure(const QString& precision, const QString& reason);
  QPushButton* generateButton() { return generate_; }

 Q_SIGNALS:
  void generate();

 protected:
  void keyPressEvent(QKeyEvent* event) override;    // Return in the policy is not the page's

 private:
  QWidget* makePolicyRow();
  void addPolicy();
  void updateGenerate();
  void growList();

  ui::PrecisionListModel* model_;
  QListView* list_;
  QToolButton* openPolicy_;
  QLineEdit* policy_;
  QLabel *failures_, *estimate_, *problem_;
  QPushButton* generate_;
  QString problemText_;
  bool busy_ = false;
};

// Restyles a button after its role changed.
void setMainRole(QPushButton* button, bool main);

}  // namespace quantspot::views
