// One page about a finished study: the decisions first, then their evidence.
#pragma once

#include "ui/models/analysis_model.h"

#include <QWidget>

class QCheckBox;
class QLabel;
class QPushButton;
class QScrollArea;
class QStackedWidget;

namespace quantspot::views {

class AnalysisEvidence;
class UnlockPanel;
class VerdictList;

class AnalysisPage : public QWidget {
  Q_OBJECT
 public:
  explicit AnalysisPage(QWidget* parent = nullptr);
  // Asks for the passphrase of this closed study.
  AnalysisPage(const QString& store, const QString& hash, QWidget* parent = nullptr);

  void openStore(const QString& store, const QString& hash, const study::Mapping& mapping);
  void openBundle(const QString& path);
  ui::AnalysisModel* model() { return &model_; }
  AnalysisEvidence* evidence() { return evidence_; }
  VerdictList* verdicts() { return verdicts_; }
  UnlockPanel* unlock() { return unlock_; }
  QCheckBox* exclusions() { return exclusions_; }
  QString attested() const;              // what is known of how the pictures were made, and what is not

 Q_SIGNALS:
  void opened();

 private:
  enum Place { Unlock, Waiting, Shown };

  QWidget* makeContent();
  QWidget* makeTools();
  void wait(const QString& text);
  void showStudy();
  void showPart();
  void showProblem(const QString& problem);
  void chooseMetrics();
  void chooseReport();
  void choosePolicy();
  QString excludedText() const;

  ui::AnalysisModel model_;
  QString store_, hash_, bundle_;
  QStackedWidget* places_;
  UnlockPanel* unlock_;
  QLabel *waiting_, *title_, *about_, *excluded_, *problem_, *saved_, *other_, *attested_;
  QCheckBox* exclusions_;
  QPushButton* policy_;
  VerdictList* verdicts_;
  AnalysisEvidence* evidence_;
  QScrollArea* scroll_;
};

}  // namespace quantspot::views
