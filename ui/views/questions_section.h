// One questionnaire of a draft: before or after the trials.
#pragma once

#include "ui/models/study_draft.h"

#include <QWidget>

class QVBoxLayout;

namespace quantspot::views {

class QuestionsSection : public QWidget {
  Q_OBJECT
 public:
  using List = std::vector<study::Question> study::Protocol::*;
  QuestionsSection(const QString& title, List list, ui::StudyDraft* draft, QWidget* parent = nullptr);   // draft is not owned

 public Q_SLOTS:
  void addQuestion();

 private:
  void rebuild();
  QWidget* makeRow(int row);
  void edit(int row, const std::function<void(study::Question&)>& change);

  const List list_;
  ui::StudyDraft* draft_;
  QVBoxLayout* column_;
  QWidget* rows_ = nullptr;
  std::size_t built_ = 0;
};

}  // namespace quantspot::views
