// A questionnaire: scales, choices and free text on one page. All but free text must be answered.
#pragma once

#include "study/protocol.h"

#include <QJsonObject>
#include <QWidget>

#include <functional>
#include <vector>

class QLabel;
class QPushButton;
class QVBoxLayout;

namespace quantspot::views {

class QuestionForm : public QWidget {
  Q_OBJECT
 public:
  explicit QuestionForm(QWidget* parent = nullptr);

  // Likert without choices of its own has five from "disagree" to "agree".
  void setQuestions(const std::vector<study::Question>& questions);
  QJsonObject answers() const;                  // id → text of the choice, number of the step (from 1), or free text
  QStringList missing() const;                  // questions that want an answer
  void setProblem(const QString& problem);

 Q_SIGNALS:
  void submitted();                             // every question that must be is answered

 private:
  QWidget* makeSteps(const study::Question& question);
  QWidget* makeText(const study::Question& question);
  void trySubmit();
  void orderKeys();

  struct Entry { study::Question question; std::function<QJsonValue()> answer; };
  std::vector<Entry> entries_;
  QVBoxLayout* column_;
  QWidget* content_ = nullptr;
  QLabel* problem_;
  QPushButton* done_;
};

}  // namespace quantspot::views
