// Which precision to deploy: the sentence, what was asked, the ranked precisions, the path, and what to do with the answer.
#pragma once

#include <QWidget>

class QCheckBox;
class QLabel;
class QPushButton;
class QTableView;
class QVBoxLayout;

namespace quantspot::ui {
class CompareSession;
class DecisionModel;
}

namespace quantspot::views {

class DecideLimits;
class DecisionPath;
class ExportDialog;

class DecidePage : public QWidget {
  Q_OBJECT
 public:
  explicit DecidePage(ui::DecisionModel* model, QWidget* parent = nullptr);   // not owned

  ui::DecisionModel* model() { return model_; }
  // Limits and what was found out are kept in the folder of this settings file; its evaluations are evidence.
  void setSettings(const QString& file);
  DecideLimits* limits() { return limits_; }
  ExportDialog* exporter() { return exporter_; }
  QList<QCheckBox*> sources() const;       // of the evidence: ticked is what counts
  QTableView* table() { return table_; }
  DecisionPath* path() { return path_; }
  QString sentence() const;
  QString notes() const;                   // what would change the answer, what is not known, the evidence

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  QWidget* makeTop();
  QWidget* makeSide();
  QWidget* makeEnd();
  void makeTable();
  QStringList evaluations() const;
  void refresh();
  void listSources();
  void search();
  QString picked() const;                  // the selected precision, else the chosen one
  void refreshButtons();
  void chooseEvidence();

  ui::DecisionModel* model_;
  QLabel *sentence_, *about_, *notes_, *said_;
  DecideLimits* limits_;
  QTableView* table_;
  DecisionPath* path_;
  QVBoxLayout* sources_;
  QPushButton *export_, *search_, *retry_;
  ExportDialog* exporter_;
  QString settings_;
};

}  // namespace quantspot::views
