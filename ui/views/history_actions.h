// What can be done with one sheet of the history: open it, draw it again with one change, set two of its pictures side by side, tag it.
#pragma once

#include <QFrame>
#include <QModelIndex>

class QLineEdit;
class QPushButton;

namespace quantspot::views {

class ShortLabel;

class HistoryActions : public QFrame {
  Q_OBJECT
 public:
  explicit HistoryActions(QWidget* parent = nullptr);

  void setSheet(const QModelIndex& index);       // of a HistoryModel; an invalid one: nothing to act on
  QLineEdit* tags() { return tags_; }
  QPushButton* nextSeedButton() { return nextSeed_; }
  QPushButton* changeButton() { return change_; }
  QPushButton* compareButton() { return compare_; }

 Q_SIGNALS:
  void openWanted();
  void nextSeedWanted();
  void changeWanted();                           // open it, and the form is ready for a change
  void compareWanted();
  void tagsEdited(const QStringList& tags);

 private:
  void tellWhy(bool judged, bool several);

  ShortLabel* what_;
  QLineEdit* tags_;
  QPushButton *open_, *nextSeed_, *change_, *compare_;
  qint64 comparison_ = 0;
};

}  // namespace quantspot::views
