// Letters put in order, the best first: dragged, or typed one after another.
#pragma once

#include <QWidget>

class QListWidget;

namespace quantspot::views {

class RankingStrip : public QWidget {
  Q_OBJECT
 public:
  explicit RankingStrip(QWidget* parent = nullptr);

  void setLetters(int count);            // A, B, C …; none placed yet
  void place(QChar letter);              // after those that are placed; a placed one goes to the end
  void removeLast();
  bool isComplete() const;
  QString order() const;                 // "B,A,C", as a ledger takes it

 Q_SIGNALS:
  void changed();

 private:
  QListWidget* makeList(const QString& name);

  QListWidget *open_, *placed_;
};

}  // namespace quantspot::views
