// Behind the cogwheel: all keys, where things lie, and which program this is.
#pragma once

#include <QMenu>

class QLabel;

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

class ProgramMenu : public QMenu {
  Q_OBJECT
 public:
  explicit ProgramMenu(ui::CompareSession* session, QWidget* parent = nullptr);   // session is not owned

  void showKeys();                       // a window beside the pages, not modal
  QLabel* keys() { return keys_; }       // null before it was opened

 private:
  void tellWhatItIs();

  ui::CompareSession* session_;
  QAction *folder_, *program_, *engine_;
  QLabel* keys_ = nullptr;
};

}  // namespace quantspot::views
