// The pictures of one comparison side by side, with names and figures, on neutral grey. Arrow keys lead to the next.
#pragma once

#include "ui/models/evaluation_matrix.h"

#include <QDialog>

class QHBoxLayout;
class QLabel;

namespace quantspot::views {

class EvaluatePictures : public QDialog {
  Q_OBJECT
 public:
  explicit EvaluatePictures(ui::EvaluationMatrix* matrix, QWidget* parent = nullptr);   // not owned
  void showRow(int row);
  int row() const { return row_; }
  int shownPictures() const { return shown_; }

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  ui::EvaluationMatrix* matrix_;
  QLabel* title_;
  QWidget* ground_;
  QHBoxLayout* pictures_;
  int row_ = -1, shown_ = 0;
};

}  // namespace quantspot::views
