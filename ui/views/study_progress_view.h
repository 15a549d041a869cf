// The experimenter's view of one frozen study: behind the passphrase, how far it is; once closed, its analysis.
#pragma once

#include "ui/models/study_progress_model.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QStackedWidget;
class QTableView;

namespace quantspot::views {

class AnalysisPage;
class UnlockPanel;

class StudyProgressView : public QWidget {
  Q_OBJECT
 public:
  StudyProgressView(const QString& store, const QString& hash, QWidget* parent = nullptr);

  ui::StudyProgressModel* model() { return &model_; }
  UnlockPanel* unlock() { return unlock_; }
  AnalysisPage* analysis() { return analysis_; }
  void showAnalysis();                   // of a closed, unlocked study
  bool showsAnalysis() const;
  QString countsText() const;            // what the page says of people and answers

 Q_SIGNALS:
  void closed();                         // the study was ended here
  void analysisShown(bool shown);        // in place of participants and evidence

 protected:
  void showEvent(QShowEvent*) override;
  void timerEvent(QTimerEvent*) override;

 private:
  enum Place { Locked, Running, Analysis };

  QWidget* makePanel();
  QWidget* makeButtons();
  QWidget* makeQuestion();
  void connectModel();
  void introduce();
  void fill();
  void say(const QString& line, bool problem);
  void ask(const QString& question, const QString& yes, std::function<void()> action);
  void askToClose();
  void askToErase();
  void chooseBundle();
  void chooseRecords();
  QString problemsText() const;
  void allowForOne();
  QString sequentialText() const;

  ui::StudyProgressModel model_;
  QStackedWidget* places_;
  UnlockPanel* unlock_;
  AnalysisPage* analysis_;
  QLabel *title_, *state_, *counts_, *problems_, *sequential_, *head_, *said_, *question_;
  QTableView* people_;
  QWidget* questionBar_;
  QPushButton *close_, *reveal_, *export_, *erase_, *hand_, *yes_, *no_;
  std::function<void()> action_;
};

}  // namespace quantspot::views
