// A precision's name to drag onto a tile, with the digit that does the same.
#pragma once

#include <QWidget>

namespace quantspot::views {

class PrecisionChip : public QWidget {
  Q_OBJECT
 public:
  PrecisionChip(int number, const QString& precision, QWidget* parent = nullptr);
  void setUsed(bool used);               // lies on a tile already: dimmed, still draggable
  QString precision() const { return precision_; }
  QSize sizeHint() const override { return {150, 28}; }

 Q_SIGNALS:
  void clicked();

 protected:
  void paintEvent(QPaintEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void mouseMoveEvent(QMouseEvent*) override;
  void mouseReleaseEvent(QMouseEvent*) override;

 private:
  int number_;
  QString precision_;
  bool used_ = false, pressed_ = false;
  QPoint start_;
};

}  // namespace quantspot::views
