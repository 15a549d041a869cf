// Which steps the policy in the editor is for: a tab for each span of steps, the first step of the chosen one, and more spans.
#pragma once

#include "ui/models/step_schedule.h"

#include <QWidget>

class QLabel;
class QSpinBox;
class QTabBar;
class QToolButton;

namespace quantspot::views {

class StepBar : public QWidget {
  Q_OBJECT
 public:
  explicit StepBar(QWidget* parent = nullptr);

  void setSpans(std::vector<ui::StepSpan> spans);      // chooses the first; nothing is emitted
  void setPolicy(const QString& policy);               // of the chosen span, as the table has it
  void setSteps(int steps);                            // of the page's recipe: where a new span may begin
  QString text() const { return ui::stepsText(spans_); }
  const std::vector<ui::StepSpan>& spans() const { return spans_; }
  std::size_t current() const { return current_; }
  void split();                                        // a new span in the second half of the chosen one
  void removeCurrent();                                // its steps go to the one before, else to the next

 Q_SIGNALS:
  void chosen(const QString& policy);                  // another span's policy is to be edited
  void changed();

 private:
  void rebuild();
  void choose(int tab);
  void moveStart(int step);

  std::vector<ui::StepSpan> spans_{{}};
  std::size_t current_ = 0;
  int steps_ = 20;
  QTabBar* tabs_;
  QToolButton *add_, *remove_;
  QLabel* startLabel_;
  QSpinBox* start_;
};

}  // namespace quantspot::views
