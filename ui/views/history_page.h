// Past comparisons as contact sheets, newest first, with search. A click opens one with its names and charts.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QListView;
class QPushButton;

namespace quantspot::ui {
class HistoryModel;
}

namespace quantspot::views {

class HistoryPage : public QWidget {
  Q_OBJECT
 public:
  explicit HistoryPage(ui::HistoryModel* model, QWidget* parent = nullptr);   // model is not owned

  void focusSearch();
  QListView* sheets() { return sheets_; }

 Q_SIGNALS:
  void opened(qint64 comparison);
  void importWanted(const QString& path);         // a folder or a list of pictures made elsewhere

 private:
  void refresh();
  QPushButton* importButton();

  ui::HistoryModel* model_;
  QLineEdit* search_;
  QListView* sheets_;
  QLabel* empty_;
};

}  // namespace quantspot::views
