// What the participant will see of a draft, page by page.
#pragma once

#include "ui/models/study_draft.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QStackedWidget;

namespace quantspot::views {

class ImageGrid;
class MessageCard;
class QuestionForm;

class StudyPreview : public QWidget {
  Q_OBJECT
 public:
  explicit StudyPreview(ui::StudyDraft* draft, QWidget* parent = nullptr);   // draft is not owned

  void showBlock(int block);
  QComboBox* pages() { return pages_; }
  ImageGrid* grid() { return grid_; }

 private:
  enum What { Consent, Before, After, Trial };
  QWidget* makeTrial();
  void refresh();
  void showPage();
  void showTrial(const study::Block& block);

  ui::StudyDraft* draft_;
  QComboBox* pages_;
  QStackedWidget* stack_;
  MessageCard* card_;
  QuestionForm* questions_;
  ImageGrid* grid_;
  QLabel *question_, *answers_;
  QString shown_;                          // of which comparison the pictures below are
  QMap<QString, QImage> images_;
};

}  // namespace quantspot::views
