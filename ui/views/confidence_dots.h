// "Sure? ○○●○○": one of five, by click or by arrow keys.
#pragma once

#include <QWidget>

namespace quantspot::views {

class ConfidenceDots : public QWidget {
  Q_OBJECT
 public:
  explicit ConfidenceDots(QWidget* parent = nullptr);
  void setValue(int value);              // 0: none given, else 1 to 5; no signal
  int value() const { return value_; }
  QSize sizeHint() const override { return {5 * 22 + 2, 24}; }

 Q_SIGNALS:
  void chosen(int value);

 protected:
  void paintEvent(QPaintEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void keyPressEvent(QKeyEvent*) override;

 private:
  int value_ = 0;
};

}  // namespace quantspot::views
