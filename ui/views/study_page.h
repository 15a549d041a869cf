// Studies: a list with their state at the left, and at the right the draft, or the frozen study.
#pragma once

#include "study/freeze.h"
#include "ui/models/background.h"
#include "ui/models/study_list_model.h"

#include <QWidget>

class QLabel;
class QListView;
class QPushButton;
class QStackedWidget;

namespace quantspot::study {
class StudyStore;
}

namespace quantspot::views {

class StudyDesigner;

class StudyPage : public QWidget {
  Q_OBJECT
 public:
  explicit StudyPage(study::StudyStore* store, QWidget* parent = nullptr);   // store is not owned

  void reload();                          // when the page is shown
  void useStudies(const QString& store);  // as Ledger's; until then the file of the comparisons
  QListView* list() { return list_; }
  StudyDesigner* designer() { return designer_; }   // null unless a draft is open
  QWidget* shown() const;                 // what stands at the right

 public Q_SLOTS:
  void newDraft();
  void select(const QString& hash_or_file);
  void openBundle(const QString& path);   // the analysis of an exported study

 Q_SIGNALS:
  void analysed(const QJsonObject& analysis);   // a mapping was opened: its figures may be used elsewhere

 private:
  void chooseBundle();
  QWidget* makeSide();
  void open(int row);
  void settle();
  void put(QWidget* page);                // at the right
  void participate(const QString& hash);
  void giveBack(const QString& hash, const study::Mapping& mapping);

  study::StudyStore* store_;
  ui::StudyListModel model_;
  QListView* list_;
  QWidget* side_;
  QLabel* problem_;
  QStackedWidget* pages_;
  QWidget* empty_;
  StudyDesigner* designer_ = nullptr;
  QString opened_, notice_;               // hash or file; said with the next list
  bool opening_ = false;                  // it is to be opened (anew) as soon as it is in the list
  ui::Background background_{this};
};

}  // namespace quantspot::views
