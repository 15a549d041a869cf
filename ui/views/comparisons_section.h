// Which comparisons a study shows: those of the history and of imported folders, with the reason where one cannot be taken.
#pragma once

#include "ui/models/study_draft.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;
class QVBoxLayout;

namespace quantspot::views {

class ComparisonsSection : public QWidget {
  Q_OBJECT
 public:
  ComparisonsSection(ui::StudyDraft* draft, study::StudyStore* store, QWidget* parent = nullptr);   // neither is owned

  QTreeWidget* list() { return list_; }
  QString said() const;
  QPushButton* takeAll() { return take_; }   // what was refused because it looks broken
  QString known() const;                     // what is known of the comparisons, and what is not

 public Q_SLOTS:
  void importFolder(const QString& folder);

 private:
  enum Column { Picked, Variants, Practice };
  void fill();
  void refreshVariants();
  void onChanged(QTreeWidgetItem* item, int column);
  void say(const QString& text);

  ui::StudyDraft* draft_;
  study::StudyStore* store_;
  QTreeWidget* list_;
  QLabel *problem_, *known_;
  QPushButton* take_;
  QVBoxLayout* column_;
  QWidget* variants_ = nullptr;
};

}  // namespace quantspot::views
