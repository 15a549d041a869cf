// Right of the pictures after the reveal: the verdict, every tile's figures, and what to do next.
#pragma once

#include "ui/views/result_entries.h"

#include <QFrame>

class QComboBox;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace quantspot::views {

// One tile's figures. Tells when the mouse is over it or it has the focus.
class ResultRow : public QWidget {
  Q_OBJECT
 public:
  ResultRow(QChar letter, const ResultEntry& entry, QWidget* parent = nullptr);

 Q_SIGNALS:
  void pointed(bool on);

 protected:
  void enterEvent(QEnterEvent*) override { Q_EMIT pointed(true); }
  void leaveEvent(QEvent*) override { Q_EMIT pointed(false); }
};

class ResultPanel : public QFrame {
  Q_OBJECT
 public:
  explicit ResultPanel(QWidget* parent = nullptr);

  // note: below the verdict, such as why the answer is not counted; may be empty.
  void show(const QString& verdict, const QString& note, const std::vector<ResultEntry>& entries, bool scoring);
  void clear();                          // nothing of the last result stays behind a blind screen
  QPushButton* nextButton() { return next_; }
  bool wantsDifference() const;          // of all tiles
  int view() const;                      // 0: the pictures; then difference, heat map, edges
  void nextView();

 Q_SIGNALS:
  void pointed(int tile);                // -1: none any more
  void next();                           // the same with the next seed
  void askAgain();
  void viewChosen();

 private:
  QLabel *verdict_, *note_, *scoring_;
  QVBoxLayout* rows_;
  QWidget* content_ = nullptr;
  QWidget* compare_;
  QComboBox* view_;
  QPushButton *next_, *again_;
};

}  // namespace quantspot::views
