// Right of the pictures while the screen is blind: the question, the answer, how sure, and the button that reveals.
#pragma once

#include "ui/models/comparison.h"

#include <QFrame>

class QLabel;
class QPushButton;
class QRadioButton;
class QToolButton;

namespace quantspot::ui {
class TrialController;
}

namespace quantspot::views {

class AnswerForm;
class ConfidenceDots;

class QuestionPanel : public QFrame {
  Q_OBJECT
 public:
  explicit QuestionPanel(ui::TrialController* trial, QWidget* parent = nullptr);   // trial is not owned

  study::Task task() const;                   // for the next comparison
  void setTask(study::Task task);
  QString lacking() const;                    // what the answer still needs; empty: it can be given
  AnswerForm* form() { return form_; }
  QPushButton* answerButton() { return answer_; }

 Q_SIGNALS:
  void taskChosen(quantspot::study::Task task);

 private:
  QWidget* makeSureRow();
  void onStateChanged();
  void refresh();

  ui::TrialController* trial_;
  QRadioButton *name_, *spot_, *rate_;
  QLabel *about_, *sureLabel_, *lacking_;
  AnswerForm* form_;
  ConfidenceDots* sure_;
  QToolButton* undo_;
  QPushButton* answer_;
  QWidget* sureRow_;
};

}  // namespace quantspot::views
