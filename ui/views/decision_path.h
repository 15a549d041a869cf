// The tree as far as it was followed: a question under another, to the right of each what it left behind.
#pragma once

#include "decision/decide.h"

#include <QWidget>

namespace quantspot::views {

class DecisionPath : public QWidget {
  Q_OBJECT
 public:
  explicit DecisionPath(QWidget* parent = nullptr);

  void setPath(std::vector<decision::Node> path, QString end);   // end: of the last box: what to use, or that nothing is left
  // Questions, answers and what left, a line each: what is drawn, as text.
  QStringList lines() const;
  QSize sizeHint() const override;
  int heightForWidth(int width) const override;
  bool hasHeightForWidth() const override { return true; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;              // tool tips: the figures that decided

 private:
  struct Box {
    QRect question, left;                          // left: of what was left behind, right of it
  };
  std::vector<Box> boxes(int width) const;         // one for each node, and the end
  QString questionText(std::size_t node) const;
  QString leftText(std::size_t node) const;

  std::vector<decision::Node> path_;
  QString end_;
};

}  // namespace quantspot::views
