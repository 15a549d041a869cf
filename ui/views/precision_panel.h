// Which precisions to compare, what they need, and the button that starts.
#pragma once

#include <QFrame>
#include <QStringList>

#include <vector>

class QLabel;
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
  void setBusy(bool busy, const QString& word);     // the word stands on the button meanwhile
  void setMain(bool main);                          // whether Generate is the page's main button
  void setEstimate(const QString& text);
  void clearFailures();
  void addFailure(const QString& precision, const QString& reason);
  void scrollTo(const QString& precision);          // makes its row visible and current
  QPushButton* generateButton() { return generate_; }
  QToolButton* policyButton() { return openPolicy_; }
  QToolButton* autoButton() { return openAuto_; }
  QListView* list() { return list_; }

 Q_SIGNALS:
  void generate();
  void policyWanted(const QString& text);           // to be edited; empty: a new one
  void policyDropped(int row);
  void autoWanted(const QString& id);               // a choice of the engine's within a limit

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;   // keys of the list

 private:
  void addPolicyActions();
  void addAutoMenu();
  void updateGenerate();
  void growList();

  struct Failure { QString reason; QStringList names; };

  ui::PrecisionListModel* model_;
  QListView* list_;
  QToolButton *openPolicy_, *openAuto_;
  QLabel *failures_, *estimate_, *problem_;
  std::vector<Failure> failed_;
  QPushButton* generate_;
  QString problemText_, busyWord_;
  bool busy_ = false;
};

// Restyles a button after its role changed.
void setMainRole(QPushButton* button, bool main);

}  // namespace quantspot::views
