// Any two pictures that share a recipe, large, with slider, flicker, difference and all that the grid can do. Not modal.
#pragma once

#include "ui/models/compare_session.h"

#include <QWidget>

class QComboBox;
class QLabel;

namespace quantspot::views {

class ImageGrid;

class PairWindow : public QWidget {
  Q_OBJECT
 public:
  explicit PairWindow(QWidget* parent = nullptr);

  // Two or more. Shows the first two; the reference is the left one, where there is one.
  void setPictures(std::vector<ui::CompareSession::Shared> pictures, const QString& prompt);
  ImageGrid* grid() { return grid_; }
  QComboBox* left() { return left_; }
  QComboBox* right() { return right_; }
  QString note() const;                     // how far they differ, and what beside the precision does

 protected:
  void keyPressEvent(QKeyEvent* event) override;   // Esc in the grid closes

 private:
  void refresh();
  void showDifference();

  std::vector<ui::CompareSession::Shared> pictures_;
  QLabel *title_, *note_;
  QComboBox *left_, *right_, *view_;
  ImageGrid* grid_;
};

}  // namespace quantspot::views
