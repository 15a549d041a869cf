// Below the pictures: what mouse and keys do, and while two are large, how to look at them.
#pragma once

#include <QWidget>

class QButtonGroup;
class QLabel;
class QStackedLayout;

namespace quantspot::views {

class ImageGrid;

class ViewBar : public QWidget {
  Q_OBJECT
 public:
  explicit ViewBar(ImageGrid* grid, QWidget* parent = nullptr);   // grid is not owned

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeHints();
  void showHints();
  QWidget* makeModes();
  void refresh();

  ImageGrid* grid_;
  QStackedLayout* stack_;
  QButtonGroup* modes_;
  QLabel *hints_, *rate_;
  QWidget* flicker_;
};

}  // namespace quantspot::views
